// One thing that can be configured. A program has one table of these; the file, the environment,
// the flags, their help, `config print-default` and `config explain` all come from it.
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace config {

enum class Kind : uint8_t { kText, kPath, kChoice, kAddress, kSize, kDuration, kCount, kFlag };

// Lifetime: texts are literals.
struct Key {
  std::string_view name = {};  // section.key, as in the file.
  std::string_view flag = {};  // --name, as on the command line.
  Kind kind = Kind::kText;
  std::string_view otherwise = {};  // What it is when nobody says; empty: none.
  std::string_view doc = {};        // One line.
  bool is_reloadable = false;
  std::string_view choices = {};  // Of kChoice: words with a space between.
  // Of kSize in bytes, of kDuration in milliseconds, of kCount.
  int64_t least = 0;
  int64_t most = std::numeric_limits<int64_t>::max();
  bool takes_bare_seconds = false;  // Of kDuration: 30 means 30s, as older flags had it.
};

// Returns DRAY_SECTION__KEY.
std::string environment_name(const Key& key);
// Returns what a value looks like, for help: "SIZE", "IP:PORT", "files|null".
std::string kind_name(const Key& key);

}  // namespace config
