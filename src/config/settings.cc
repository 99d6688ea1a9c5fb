#include "config/settings.h"

#include <algorithm>

#include "base/assert.h"
#include "protocol/text.h"

namespace config {
namespace {

// A name in a file may be long, and may be anything.
constexpr size_t kShownBytesMax = 64;

}  // namespace

Settings Settings::read(std::span<const Key> keys, Sources sources) {
  Settings made(keys, std::move(sources));
  for (const Key& key : keys) {
    const base::Result<Value> value = read_value(key, key.otherwise);
    ASSERT(value.has_value(), "the default of {} is none", key.name);
    made.settings_.push_back({&key, *value, "default"});
  }
  const base::Result<std::vector<std::string>> files = files_of(made.sources_);
  if (files) {
    made.files_ = *files;
  } else {
    made.problems_.push_back(files.error().message);
  }
  for (const std::string& path : made.files_) {
    const base::Result<std::vector<Entry>> entries = read_toml(path);
    if (entries) {
      made.take(*entries);
    } else {
      made.problems_.push_back(entries.error().message);
    }
  }
  made.take(read_environment(made.sources_.environment));
  made.take(made.sources_.flags);
  return made;
}

void Settings::take(const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) take(entry);
}

void Settings::take(const Entry& entry) {
  const auto found = std::ranges::find_if(
      settings_, [&](const Setting& setting) { return setting.key->name == entry.name; });
  if (found == settings_.end()) {
    problems_.push_back(fmt::format("{}: there is no setting {}{}", entry.where,
                                    protocol::printable(entry.name, kShownBytesMax),
                                    nearest_key(keys_, entry.name)));
    return;
  }
  base::Result<Value> value = read_value(*found->key, entry.text);
  if (!value) {
    // A flag is its own name.
    const bool is_flag = entry.where == found->key->flag;
    problems_.push_back(fmt::format("{}{}: {}", entry.where,
                                    is_flag ? std::string() : fmt::format(": {}", entry.name),
                                    value.error().message));
    return;
  }
  found->value = *std::move(value);
  found->where = entry.where;
}

const Value& Settings::value(std::string_view name) const {
  const auto found = std::ranges::find_if(
      settings_, [&](const Setting& setting) { return setting.key->name == name; });
  ASSERT(found != settings_.end(), "no key {}", name);
  return found->value;
}

void Settings::adopt_reloadable(const Settings& now) {
  ASSERT(settings_.size() == now.settings_.size());
  for (size_t i = 0; i < settings_.size(); ++i) {
    if (settings_[i].key->is_reloadable) settings_[i] = now.settings_[i];
  }
}

std::vector<Change> Settings::changes_to(const Settings& now) const {
  ASSERT(settings_.size() == now.settings_.size());
  std::vector<Change> changes;
  for (size_t i = 0; i < settings_.size(); ++i) {
    const Setting& before = settings_[i];
    const Setting& after = now.settings_[i];
    if (before.value.is_same(after.value, before.key->kind)) continue;
    changes.push_back({before.key, before.value.text, after.value.text});
  }
  return changes;
}

}  // namespace config
