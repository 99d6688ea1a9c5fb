// Writes JSON for programs that read what the command line prints.
#pragma once
#include <string>
#include <string_view>

#include "base/json_text.h"
#include "dray/value.h"

namespace cli {

using base::append_json_text;

// Appends a server's answer: maps as objects, in their order.
void append_json(const dray::Value& value, std::string& out);

}  // namespace cli
