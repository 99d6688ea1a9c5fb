// Looks into a JSON text at a path, for queries over what jobs were given.
#pragma once

#include <functional>
#include <string_view>

namespace base {

// Whether `json` has, at `path` (keys with dots between them: "user.id"), a value for which
// `accepts` answers true. It is asked about texts without their quotes, numbers, true, false and
// null as JSON writes them. In an array a number in the path is a place; otherwise each element is
// looked at. False where the text is no JSON, or has nothing there.
bool json_has(std::string_view json, std::string_view path,
              const std::function<bool(std::string_view)>& accepts);

}  // namespace base
