// All settings of a program, put together: defaults, then files, environment and flags, each over
// what came before.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/key.h"
#include "config/sources.h"
#include "config/value.h"

namespace config {

struct Setting {
  const Key* key;
  Value value;
  std::string where;  // Who said so last; "default" when nobody did.
};

// A change between two readings.
struct Change {
  const Key* key;
  std::string before;
  std::string now;
};

// Threading: a value.
class Settings {
 public:
  // Never fails as a whole: what is wrong is in problems(), each a line with its place, and the
  // setting keeps what it had before. `keys` must outlive this.
  static Settings read(std::span<const Key> keys, Sources sources);
  // The same sources, as they are now.
  Settings read_again() const { return read(keys_, sources_); }

  const std::vector<std::string>& problems() const { return problems_; }
  const std::vector<std::string>& files() const { return files_; }
  const std::vector<Setting>& all() const { return settings_; }
  // Requires: a key of the table.
  const Value& value(std::string_view name) const;

  // Both require the same table of keys.
  void adopt_reloadable(const Settings& now);
  std::vector<Change> changes_to(const Settings& now) const;

 private:
  Settings(std::span<const Key> keys, Sources sources)
      : keys_(keys), sources_(std::move(sources)) {}

  void take(const std::vector<Entry>& entries);
  void take(const Entry& entry);

  std::span<const Key> keys_;
  Sources sources_;
  std::vector<Setting> settings_;
  std::vector<std::string> files_;
  std::vector<std::string> problems_;
};

}  // namespace config
