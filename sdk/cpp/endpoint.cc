#include "sdk/cpp/endpoint.h"

#include <charconv>
#include <cstdlib>

namespace dray::detail {
namespace {

using base::fail;
using base::Result;

// Nothing that may hold a password goes into a message.
constexpr std::string_view kForm = "dray://[user:password@]host[:port][/namespace]";

std::string variable(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? std::string{} : std::string(text);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> decode_percent(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0) {
      return fail(base::ErrorCode::kBadReq, "field=url a % must be followed by two hex digits");
    }
    out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
    i += 2;
  }
  return out;
}

Result<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (fault != std::errc{} || end != text.data() + text.size() || port == 0) {
    return fail(base::ErrorCode::kBadReq, "field=url the port must be a number from 1 to 65535: {}",
                kForm);
  }
  return port;
}

base::Status parse_user(std::string_view text, Endpoint& endpoint) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    endpoint.user = TRY(decode_percent(text));
    return {};
  }
  endpoint.user = TRY(decode_percent(text.substr(0, colon)));
  endpoint.password = TRY(decode_percent(text.substr(colon + 1)));
  return {};
}

base::Status parse_host(std::string_view text, Endpoint& endpoint) {
  std::string_view port;
  if (text.starts_with('[')) {  // An IPv6 address has colons of its own.
    const size_t close = text.find(']');
    if (close == std::string_view::npos) {
      return fail(base::ErrorCode::kBadReq, "field=url there is no ] behind the address: {}",
                  kForm);
    }
    endpoint.host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) {
      return fail(base::ErrorCode::kBadReq, "field=url only :port may stand behind ]: {}", kForm);
    }
    port = rest.empty() ? rest : rest.substr(1);
  } else {
    const size_t colon = text.find(':');
    endpoint.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  if (endpoint.host.empty())
    return fail(base::ErrorCode::kBadReq, "field=url has no host: {}", kForm);
  if (!port.empty()) endpoint.port = TRY(parse_port(port));
  return {};
}

}  // namespace

std::string Endpoint::address() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<Endpoint> parse_endpoint(std::string_view url) {
  Endpoint endpoint;
  if (url.empty()) return endpoint;
  const size_t scheme_end = url.find("://");
  const std::string_view scheme =
      scheme_end == std::string_view::npos ? std::string_view{} : url.substr(0, scheme_end);
  endpoint.is_tls = scheme == "drays" || scheme == "rediss";
  if (!endpoint.is_tls && scheme != "dray" && scheme != "redis") {
    return fail(base::ErrorCode::kBadReq,
                "field=url must begin with dray://, or with drays:// for TLS: {}", kForm);
  }
  std::string_view rest = url.substr(scheme_end + 3);
  const size_t slash = rest.find('/');
  if (slash != std::string_view::npos) {
    endpoint.job_namespace = rest.substr(slash + 1);
    rest = rest.substr(0, slash);
  }
  const size_t at = rest.rfind('@');
  if (at != std::string_view::npos) {
    TRY(parse_user(rest.substr(0, at), endpoint));
    rest = rest.substr(at + 1);
  }
  TRY(parse_host(rest, endpoint));
  return endpoint;
}

std::string url_or_environment(std::string_view url) {
  return url.empty() ? variable("DRAY_URL") : std::string(url);
}

TlsOptions tls_or_environment(TlsOptions options) {
  if (options.ca_file.empty()) options.ca_file = variable("DRAY_TLS_CA");
  if (options.server_name.empty()) options.server_name = variable("DRAY_TLS_NAME");
  if (options.cert_file.empty() && options.key_file.empty()) {
    options.cert_file = variable("DRAY_TLS_CERT");
    options.key_file = variable("DRAY_TLS_KEY");
  }
  return options;
}

}  // namespace dray::detail
