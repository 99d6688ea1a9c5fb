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
constexpr std::string_view kUrl = "url";
constexpr std::string_view kTokenFile = "token_file";

// One setting of TLS: where it is kept, in a profile and on the command line.
struct TlsSetting {
  std::string dray::TlsOptions::*field;
  std::string_view in_profile;
  const char* flag;
  const char* type;
  const char* help;
};
constexpr TlsSetting kTlsSettings[] = {
    {&dray::TlsOptions::ca_file, "tls_ca", "--tls-ca", "FILE",
     "certificates of the authorities to trust; a server that signs its own is its own "
     "(DRAY_TLS_CA; "
     "else the system's)"},
    {&dray::TlsOptions::cert_file, "tls_cert", "--tls-cert", "FILE",
     "our certificate, for a server that asks for one (DRAY_TLS_CERT)"},
    {&dray::TlsOptions::key_file, "tls_key", "--tls-key", "FILE",
     "the key of that certificate (DRAY_TLS_KEY)"},
    {&dray::TlsOptions::server_name, "tls_name", "--tls-name", "NAME",
     "the name that the server's certificate has to be for, if not the URL's (DRAY_TLS_NAME)"},
};

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
    return base::fail(kBad, "{}: with token_file, url is dray[s]://HOST:PORT without a password",
                      token_file.where);
  }
  return url.substr(0, host + 3) + ":" + escaped(token) + "@" + url.substr(host + 3);
}

// Whether `name` is a setting that a profile may have.
bool is_field_of_profile(std::string_view name) {
  if (!name.starts_with(kPrefix)) return false;
  const std::string_view field = name.substr(name.rfind('.') + 1);
  return field == kUrl || field == kTokenFile ||
         std::ranges::any_of(kTlsSettings,
                             [&](const TlsSetting& one) { return one.in_profile == field; });
}

// The entries of the user's file; none when there is no file.
base::Result<std::vector<config::Entry>> entries_of(const std::string& path) {
  std::error_code fault;
  if (path.empty()) return std::vector<config::Entry>{};
  if (!std::filesystem::exists(path, fault)) {
    if (fault) return base::fail(kBad, "{} cannot be read: {}", path, fault.message());
    return std::vector<config::Entry>{};
  }
  std::vector<config::Entry> entries = TRY(config::read_toml(path));
  for (const config::Entry& entry : entries) {
    if (entry.name == "default_profile" || is_field_of_profile(entry.name)) continue;
    return base::fail(kBad,
                      "{}: there is no setting {}; known are default_profile, and url, token_file, "
                      "tls_ca, tls_cert, tls_key and tls_name in [profiles.NAME]",
                      entry.where, entry.name);
  }
  return entries;
}

base::Result<ServerPlace> place_of(const std::string& profile, const std::string& path,
                                   const std::vector<config::Entry>& entries) {
  const auto find = [&](std::string_view field) {
    const std::string name = fmt::format("{}{}.{}", kPrefix, profile, field);
    return std::ranges::find_if(entries, [&](const auto& entry) { return entry.name == name; });
  };
  const auto url = find(kUrl);
  if (url == entries.end()) {
    std::vector<std::string> names;
    for (const config::Entry& entry : entries) {
      if (!entry.name.starts_with(kPrefix) || !entry.name.ends_with(".url")) continue;
      names.push_back(entry.name.substr(kPrefix.size(), entry.name.rfind('.') - kPrefix.size()));
    }
    return base::fail(kBad, "there is no profile {} with a url in {}{}", profile, path,
                      did_you_mean(nearest(names, profile)));
  }
  ServerPlace place{.url = url->text};
  const auto token_file = find(kTokenFile);
  if (token_file != entries.end()) place.url = TRY(with_token(url->text, *token_file));
  for (const TlsSetting& setting : kTlsSettings) {
    const auto entry = find(setting.in_profile);
    if (entry != entries.end()) place.tls.*setting.field = entry->text;
  }
  return place;
}

base::Result<ServerPlace> find_place(const ServerChoice& choice,
                                     const config::Environment& environment) {
  if (!choice.url.empty()) return ServerPlace{.url = choice.url};
  std::string profile = choice.profile;
  if (profile.empty()) {
    const std::string url = variable(environment, "DRAY_URL");
    if (!url.empty()) return ServerPlace{.url = url};
    profile = variable(environment, "DRAY_PROFILE");
  }
  const std::string path = file_of(environment);
  const std::vector<config::Entry> entries = TRY(entries_of(path));
  if (profile.empty()) {
    for (const config::Entry& entry : entries) {
      if (entry.name == "default_profile") profile = entry.text;
    }
  }
  if (profile.empty()) return ServerPlace{};
  return place_of(profile, path, entries);
}

}  // namespace

void add_server(CLI::App& app, ServerChoice& choice) {
  app.add_option("--url", choice.url,
                 "the server: dray://[user:password@]host[:port][/namespace], or drays:// for TLS "
                 "(DRAY_URL)")
      ->type_name("URL");
  app.add_option("--profile", choice.profile,
                 "a server by its name in ~/.config/dray/config.toml (DRAY_PROFILE)")
      ->type_name("NAME")
      ->excludes("--url");
  for (const TlsSetting& setting : kTlsSettings) {
    app.add_option(setting.flag, choice.tls.*setting.field, setting.help)
        ->type_name(setting.type)
        ->group("TLS");
  }
}

base::Result<ServerPlace> find_server(const ServerChoice& choice,
                                      const config::Environment& environment) {
  ServerPlace place = TRY(find_place(choice, environment));
  // A certificate and its key go together: those of a profile are not mixed with flags.
  if (!choice.tls.cert_file.empty() || !choice.tls.key_file.empty()) {
    place.tls.cert_file.clear();
    place.tls.key_file.clear();
  }
  for (const TlsSetting& setting : kTlsSettings) {
    const std::string& said = choice.tls.*setting.field;
    if (!said.empty()) place.tls.*setting.field = said;
  }
  return place;
}

dray::ClientOptions client_options(const ServerChoice& choice) {
  base::Result<ServerPlace> place = find_server(choice, config::process_environment());
  if (!place) throw dray::Error(dray::ErrorCode::kBadReq, place.error().message);
  dray::ClientOptions options;
  options.url = std::move(place->url);
  options.tls = std::move(place->tls);
  options.retry_for = std::chrono::seconds(5);
  return options;
}

}  // namespace cli
