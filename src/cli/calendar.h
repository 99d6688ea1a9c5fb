// Points of the calendar as people and programs write them.
#pragma once
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace cli {

// Reads RFC 3339 ("2026-03-01T09:00:00+01:00", with a fraction if need be; a zone is a must) or
// milliseconds since 1970.
base::Result<base::WallTime> parse_time(std::string_view text);

}  // namespace cli
