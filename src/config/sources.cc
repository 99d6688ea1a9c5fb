#include "config/sources.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/toml.h"
#include "protocol/text.h"

namespace config {
namespace {

std::string place(const std::string& path, const toml::source_region& source) {
  return fmt::format("{}:{}", path, source.begin.line);
}

// Collects the leaves of a table as section.key.
struct Collector {
  const std::string& path;
  std::vector<Entry> entries = {};

  // The depth is that of the file, which its owner wrote.
  // NOLINTNEXTLINE(misc-no-recursion)
  base::Status add(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) {
      const std::string name = prefix + std::string(key.str());
      if (const toml::table* inner = node.as_table()) {
        TRY(add(*inner, name + "."));
        continue;
      }
      Entry entry{.name = name, .text = {}, .where = place(path, node.source())};
      if (const auto* text = node.as_string()) {
        entry.text = text->get();
      } else if (const auto* number = node.as_integer()) {
        entry.text = std::to_string(number->get());
      } else if (const auto* flag = node.as_boolean()) {
        entry.text = flag->get() ? "true" : "false";
      } else {
        return base::fail(base::ErrorCode::kBadReq,
                          "{}: {} must be a text, a whole number, true or false", entry.where,
                          name);
      }
      entries.push_back(std::move(entry));
    }
    return {};
  }
};

}  // namespace

Environment process_environment() {
  Environment all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return all;
}

base::Result<std::vector<std::string>> files_of(const Sources& sources) {
  namespace fs = std::filesystem;
  const fs::path main(sources.file.empty() ? std::string(kStandardFile) : sources.file);
  std::vector<std::string> files;
  std::error_code fault;
  if (fs::exists(main, fault)) {
    files.push_back(main.string());
  } else if (fault) {
    // It may well be there, with settings that somebody counts on.
    return base::fail(base::ErrorCode::kBadReq, "{} cannot be read: {}", main.string(),
                      fault.message());
  } else if (!sources.file.empty()) {
    return base::fail(base::ErrorCode::kNotFound, "there is no file {}", sources.file);
  }
  std::vector<std::string> more;
  const fs::path folder = main.parent_path() / "conf.d";
  fs::directory_iterator entry(folder, fault);
  if (fault && fault != std::errc::no_such_file_or_directory) {
    return base::fail(base::ErrorCode::kBadReq, "{} cannot be read: {}", folder.string(),
                      fault.message());
  }
  for (; !fault && entry != fs::directory_iterator(); entry.increment(fault)) {
    if (entry->path().extension() == ".toml") more.push_back(entry->path().string());
  }
  std::ranges::sort(more);
  files.insert(files.end(), more.begin(), more.end());
  return files;
}

base::Result<std::vector<Entry>> read_toml(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    return base::fail(base::ErrorCode::kNotFound, "{} cannot be read", path);
  }
  return parse_toml(text, path);
}

base::Result<std::vector<Entry>> parse_toml(std::string_view text, const std::string& path) {
  const toml::parse_result parsed = toml::parse(text, path);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return base::fail(base::ErrorCode::kBadReq, "{}, column {}: {}", place(path, error.source()),
                      error.source().begin.column, std::string(error.description()));
  }
  Collector collector{.path = path};
  TRY(collector.add(parsed.table(), ""));
  // A table is sorted by name; people read their file from the top.
  std::ranges::stable_sort(collector.entries, {}, [](const Entry& entry) {
    return std::stol(entry.where.substr(entry.where.rfind(':') + 1));
  });
  return std::move(collector.entries);
}

std::vector<Entry> read_environment(const Environment& environment) {
  constexpr std::string_view kPrefix = "DRAY_";
  std::vector<Entry> entries;
  for (const auto& [variable, text] : environment) {
    const size_t gap = variable.find("__");
    if (!variable.starts_with(kPrefix) || gap == std::string::npos || gap <= kPrefix.size()) {
      continue;
    }
    const std::string name =
        protocol::lower_case(variable.substr(kPrefix.size(), gap - kPrefix.size())) + "." +
        protocol::lower_case(variable.substr(gap + 2));
    entries.push_back({.name = name, .text = text, .where = variable});
  }
  return entries;
}

std::string nearest_key(std::span<const Key> keys, std::string_view name) {
  // Further away it is more likely another thing than a slip.
  size_t least = 4;
  std::string_view found;
  for (const Key& key : keys) {
    // A key without its section, or in another one, is near by what stands behind the dot.
    const std::string_view last = key.name.substr(key.name.find('.') + 1);
    const std::string_view given = name.substr(name.rfind('.') + 1);
    const size_t distance =
        std::min(protocol::edit_distance(key.name, name),
                 protocol::edit_distance(last, given) + (last == given ? 1 : 2));
    if (distance >= least) continue;
    least = distance;
    found = key.name;
  }
  return found.empty() ? std::string() : fmt::format(" (did you mean {}?)", found);
}

}  // namespace config
