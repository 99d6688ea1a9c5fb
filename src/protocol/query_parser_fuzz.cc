// Any text is a query or an error; what is a query says the same when it is read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "protocol/query_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto query = protocol::parse_query(text);
  if (!query) return 0;
  const auto again = protocol::parse_query(query->text);
  ASSERT(again.has_value() && *again == *query, "a query that is read differently the second time");
  return 0;
}
