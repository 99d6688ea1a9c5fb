// Writes replies as RESP 2 or RESP 3, in one pass over the tape and without recursion. In RESP 2 a
// map is an array of fields and values, at every depth, and nil is "$-1". Booleans are integers in
// both. Threading: none; free functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace protocol {

enum class RespVersion : uint8_t { kResp2 = 2, kResp3 = 3 };

// Appends every value of a reply's tape (core::Reply) to `out`.
// Requires: a well-formed tape.
void encode_reply(std::string_view tape, RespVersion version, std::string& out);

// Appends "-CODE message". CR, LF and NUL in the message become spaces: an error has one line.
void encode_error(base::ErrorCode code, std::string_view message, std::string& out);

// Appends text for people (INFO): a verbatim string in RESP 3, a bulk string in RESP 2.
void encode_verbatim(std::string_view text, RespVersion version, std::string& out);

// Appends a request as clients send it: an array of bulk strings has a header, then the words.
void encode_request_header(size_t words, std::string& out);
void encode_bulk(std::string_view bytes, std::string& out);

}  // namespace protocol
