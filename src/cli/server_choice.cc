#include "cli/server_choice.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/suggestion.h"
#include "cli/terminal.h"

namespace cli {
namespace {

constexpr auto kBad = base::ErrorCode::kBadReq;
constexpr std::string_view kPrefix = "profiles.";

std::string variable(const config::Environment& environment, std::string_view name) {
  const auto found =
      std::ranges::find_if(environment, [&](const auto& entry) { return entry.first == name; });
  return found == environment.end() ? std::string() : found->second;
}

std::string file_of(const config::Environment& environment) {
  std::string folder = variable(environment, "XDG_CONFIG_HOME");
  if (folder.empty()) {
    const std::string home = variable(environment, "HOME");
    if (home.empty()) return {};
    folder = home + "/.config";
  }
  return folder + "/dray/config.toml";
}

// What may stand in a URL as it is.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
    out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<uint8_t>(c));
  }
  return out;
}

base::Result<std::string> with_token(const std::string& url, const config::Entry& token_file) {
  std::ifstream file(token_file.text);
  std::string token{std::istreambuf_iterator<char>(file), {}};
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  if (token.empty()) {
    return base::fail(kBad, "{}: token_file {} cannot be read, or is empty", token_file.where,
                      token_file.text);
  }
  const size_t host = url.find("://");
  if (host == std::string::npos || url.find('@') != std::string::npos) {
    return base::fail(kBad, "{}: with token_file, url is dray://HOST:PORT without a password",
                      token_file.where);
  }
  return url.substr(0, host + 3) + ":" + escaped(token) + "@" + url.substr(host + 3);
}

// The entries of the user's file; none when there is no file.
base::Result<std::vector<config::Entry>> entries_of(const std::string& path) {
  std::error_code fault;
  if (path.empty() || !std::filesystem::exists(path, fault)) return std::vector<config::Entry>{};
  std::vector<config::Entry> entries = TRY(config::read_toml(path));
  for (const config::Entry& entry : entries) {
    const bool is_known = entry.name == "default_profile" ||
                          (entry.name.starts_with(kPrefix) &&
                           (entry.name.ends_with(".url") || entry.name.ends_with(".token_file")));
    if (!is_known) {
      return base::fail(kBad,
                        "{}: there is no setting {}; known are default_profile, and url and "
                        "token_file in [profiles.NAME]",
                        entry.where, entry.name);
    }
  }
  return entries;
}

base::Result<std::string> url_of(const std::string& profile, const std::string& path,
                                 const std::vector<config::Entry>& entries) {
  const auto find = [&](std::string_view field) {
    const std::string name = fmt::format("{}{}.{}", kPrefix, profile, field);
    return std::ranges::find_if(entries, [&](const auto& entry) { return entry.name == name; });
  };
  const auto url = find("url");
  if (url == entries.end()) {
    std::vector<std::string> names;
    for (const config::Entry& entry : entries) {
      if (!entry.name.starts_with(kPrefix) || !entry.name.ends_with(".url")) continue;
      names.push_back(entry.name.substr(kPrefix.size(), entry.name.rfind('.') - kPrefix.size()));
    }
    return base::fail(kBad, "there is no profile {} with a url in {}{}", profile, path,
                      did_you_mean(nearest(names, profile)));
  }
  const auto token_file = find("token_file");
  if (token_file == entries.end()) return url->text;
  return with_token(url->text, *token_file);
}

}  // namespace

void add_server(CLI::App& app, ServerChoice& choice) {
  app.add_option("--url", choice.url,
                 "the server: dray://[user:password@]host[:port][/namespace] (DRAY_URL)")
      ->type_name("URL");
  app.add_option("--profile", choice.profile,
                 "a server by its name in ~/.config/dray/config.toml (DRAY_PROFILE)")
      ->type_name("NAME")
      ->excludes("--url");
}

base::Result<std::string> server_url(const ServerChoice& choice,
                                     const config::Environment& environment) {
  if (!choice.url.empty()) return choice.url;
  std::string profile = choice.profile;
  if (profile.empty()) {
    const std::string url = variable(environment, "DRAY_URL");
    if (!url.empty()) return url;
    profile = variable(environment, "DRAY_PROFILE");
  }
  const std::string path = file_of(environment);
  const std::vector<config::Entry> entries = TRY(entries_of(path));
  if (profile.empty()) {
    for (const config::Entry& entry : entries) {
      if (entry.name == "default_profile") profile = entry.text;
    }
  }
  if (profile.empty()) return std::string();
  return url_of(profile, path, entries);
}

dray::ClientOptions client_options(const ServerChoice& choice) {
  base::Result<std::string> url = server_url(choice, config::process_environment());
  if (!url) throw dray::Error(dray::ErrorCode::kBadReq, url.error().message);
  dray::ClientOptions options;
  options.url = *std::move(url);
  options.retry_for = std::chrono::seconds(5);
  return options;
}

}  // namespace cli
