// Where settings come from: files of TOML, the environment, the command line. What each says, as
// text, with the place where it says so.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/key.h"

namespace config {

struct Entry {
  std::string name;   // Of a key; it may be none.
  std::string text;   // Its value.
  std::string where;  // "/etc/dray/dray.toml:12", "DRAY_SERVER__DATA", "--data".
};

inline constexpr std::string_view kStandardFile = "/etc/dray/dray.toml";

struct Sources {
  // Empty: kStandardFile, which need not be there. A file that is named must.
  std::string file = {};
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::vector<Entry> flags = {};
};

using Environment = std::vector<std::pair<std::string, std::string>>;
// All variables of this process.
Environment process_environment();

// The file, and conf.d/*.toml beside it in the order of their names. Only those that are there.
// Errors: NOTFOUND when a file that was named is not.
base::Result<std::vector<std::string>> files_of(const Sources& sources);

// Errors: BADREQ with file, line and column when it is no TOML; NOTFOUND when it cannot be read.
base::Result<std::vector<Entry>> read_toml(const std::string& path);
// The same of a file's text; `path` is for the places.
base::Result<std::vector<Entry>> parse_toml(std::string_view text, const std::string& path);

// The variables DRAY_SECTION__KEY, as entries; others are nobody's business.
std::vector<Entry> read_environment(const Environment& environment);

// Returns ` (did you mean NAME?)` for the key that is nearest; empty when none is near.
std::string nearest_key(std::span<const Key> keys, std::string_view name);

}  // namespace config
