// Writes texts into JSON.
#pragma once

#include <string>
#include <string_view>

namespace base {

// Appends a JSON string. Bytes that are no UTF-8 have no place in one: then it is an object
// {"base64": "…"}, so that nothing is lost.
void append_json_text(std::string_view bytes, std::string& out);

}  // namespace base
