#include "config/address.h"

#include <charconv>

namespace config {

base::Result<Address> parse_address(std::string_view text) {
  constexpr auto kBad = base::ErrorCode::kBadReq;
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return base::fail(kBad, "'{}' is no address: write HOST:PORT", text);
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  uint16_t port = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (fault != std::errc{} || end != digits.data() + digits.size()) {
    return base::fail(kBad, "'{}' has no port: it is a number from 0 to 65535", text);
  }
  return Address{std::string(host), port};
}

}  // namespace config
