#include "config/manual.h"

#include <fmt/format.h>

namespace config {
namespace {

// A basic string of TOML.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

// Numbers and truth values are written bare, all else in quotes.
std::string toml_value(const Key& key, std::string_view text) {
  const bool is_bare = key.kind == Kind::kFlag || key.kind == Kind::kCount;
  return is_bare && !text.empty() ? std::string(text) : quoted(text);
}

std::string_view section_of(const Key& key) {
  return key.name.substr(0, key.name.find('.'));
}

std::string bounds_of(const Key& key) {
  if (key.kind == Kind::kChoice) return kind_name(key);
  if (key.kind == Kind::kSize) return "a size: 16384, 512KiB, 64MB, 4GiB";
  if (key.kind == Kind::kDuration) return "a duration: 250ms, 30s, 5m, 1h30m";
  return kind_name(key);
}

}  // namespace

std::string default_file(std::span<const Key> keys) {
  std::string out =
      "# Settings of `dray serve`. Every line that begins with # shows a default: take the # away "
      "to\n"
      "# change it. Files in conf.d beside this one are read after it, in the order of their "
      "names;\n"
      "# then come the environment (DRAY_SECTION__KEY) and the flags of the command line.\n"
      "# `dray config check FILE` reads it as the server would; `dray config explain KEY` tells "
      "more.\n";
  std::string_view section;
  for (const Key& key : keys) {
    if (section_of(key) != section) {
      section = section_of(key);
      out += fmt::format("\n[{}]\n", section);
    }
    const std::string_view reload = key.is_reloadable ? " SIGHUP changes it." : "";
    out += fmt::format("# {} ({}){}\n", key.doc, bounds_of(key), reload);
    out += fmt::format("#{} = {}\n", key.name.substr(section.size() + 1),
                       toml_value(key, key.otherwise));
  }
  return out;
}

std::string explanation(const Setting& setting) {
  const Key& key = *setting.key;
  const auto shown = [](std::string_view text) {
    return text.empty() ? std::string("none") : std::string(text);
  };
  std::string out = fmt::format("{}: {}\n\n", key.name, key.doc);
  out += fmt::format("  value        {}\n", bounds_of(key));
  out += fmt::format("  default      {}\n", shown(key.otherwise));
  const std::string_view section = section_of(key);
  out += fmt::format("  file         [{}] {} = {}\n", section, key.name.substr(section.size() + 1),
                     toml_value(key, setting.value.text));
  out += fmt::format("  environment  {}\n", environment_name(key));
  out += fmt::format("  flag         {}\n", key.flag);
  out += fmt::format("  reload       {}\n",
                     key.is_reloadable ? "SIGHUP changes it" : "needs a restart");
  out += fmt::format("  now          {} (from {})\n", shown(setting.value.text), setting.where);
  return out;
}

}  // namespace config
