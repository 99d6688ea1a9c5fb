#include "auth/job_namespace.h"

#include <algorithm>

namespace auth {

base::Status check_namespace(std::string_view name) {
  const bool is_name = !name.empty() && name.size() <= kNamespaceBytesMax && name.front() != '.' &&
                       std::ranges::all_of(name, [](char c) {
                         const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                         return letter || (c >= '0' && c <= '9') ||
                                std::string_view("_.:-").find(c) != std::string_view::npos;
                       });
  if (!is_name) {
    return base::fail(base::ErrorCode::kBadReq,
                      "field=namespace '{}' is no name: give 1 to {} characters of A-Z a-z 0-9 _ . "
                      ": -, the first of them no dot",
                      name.substr(0, kNamespaceBytesMax), kNamespaceBytesMax);
  }
  // SELECT 0 is what clients of Redis say for the first database.
  if (name == "0") {
    return base::fail(base::ErrorCode::kBadReq,
                      "field=namespace 0 is another name of {}: give one of your own",
                      kDefaultNamespace);
  }
  return {};
}

}  // namespace auth
