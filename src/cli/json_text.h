// Writes JSON for programs that read what the command line prints.
#pragma once
#include <string>
#include <string_view>

#include "dray/value.h"

namespace cli {

// Appends a JSON string. Bytes that are no UTF-8 have no place in one: then it is an object
// {"base64": "…"}, so that nothing is lost.
void append_json_text(std::string_view bytes, std::string& out);

// Appends a server's answer: maps as objects, in their order.
void append_json(const dray::Value& value, std::string& out);

}  // namespace cli
