#include "auth/token.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

#include "core/limits.h"

namespace auth {

using base::ErrorCode;

namespace {

// Crockford's base32 in small letters: nothing that looks like something else.
constexpr std::string_view kLetters = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr size_t kIdLetters = 10;
constexpr size_t kSecretLetters = 52;
static_assert(kSecretLetters * 5 >= 256);
static_assert(kLetters.size() == 32);

std::string random_text(base::Random& random, size_t letters) {
  std::vector<std::byte> bytes(letters);
  random.fill(bytes);
  std::string text;
  for (const std::byte byte : bytes) text += kLetters[std::to_integer<size_t>(byte) % 32];
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return text;
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= core::limits::kNameBytesMax &&
         std::ranges::all_of(text, [](char c) {
           const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
           return letter || (c >= '0' && c <= '9') ||
                  std::string_view("_.:-").find(c) != std::string_view::npos;
         });
}

int value_of_hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

Digest sha256(std::string_view bytes) {
  Digest digest{};
  ::SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

bool same_digest(const Digest& left, const Digest& right) {
  return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string hex_of(const Digest& digest) {
  std::string hex;
  for (const uint8_t byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

std::optional<Digest> digest_of_hex(std::string_view hex) {
  Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (size_t i = 0; i < digest.size(); ++i) {
    const int high = value_of_hex(hex[2 * i]);
    const int low = value_of_hex(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return digest;
}

base::Result<Scope> parse_scope(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return base::fail(ErrorCode::kBadReq,
                      "field=scope '{}' {}: write RIGHT:QUEUE, RIGHT one of enqueue, work, read, "
                      "admin, QUEUE a name, or its beginning and a *",
                      text.substr(0, 200), why);
  };
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return refuse("has no colon");
  Scope scope;
  bool known = false;
  for (size_t i = 0; i < core::kRightCount; ++i) {
    const auto right = static_cast<core::Right>(i);
    if (core::right_name(right) != text.substr(0, colon)) continue;
    scope.right = right;
    known = true;
  }
  if (!known) return refuse("begins with no right");
  std::string_view name = text.substr(colon + 1);
  scope.is_prefix = name.ends_with('*');
  if (scope.is_prefix) name.remove_suffix(1);
  const bool is_all = scope.is_prefix && name.empty();
  if (!is_all && !is_word(name)) return refuse("names no queue");
  scope.name = name;
  return scope;
}

std::string scope_text(const Scope& scope) {
  return fmt::format("{}:{}{}", core::right_name(scope.right), scope.name,
                     scope.is_prefix ? "*" : "");
}

core::Rights Token::rights() const {
  core::Rights rights;
  for (const Scope& scope : scopes) rights.grant(scope.right, scope.name, scope.is_prefix);
  return rights;
}

std::string new_id(base::Random& random) {
  return random_text(random, kIdLetters);
}

std::string new_secret(base::Random& random) {
  return random_text(random, kSecretLetters);
}

base::Status check_token_namespace(std::string_view text) {
  return text == kEveryNamespace ? base::Status() : check_namespace(text);
}

base::Status check_token_word(std::string_view field, std::string_view text) {
  if (is_word(text)) return {};
  return base::fail(ErrorCode::kBadReq,
                    "field={} '{}' is no name: give 1 to {} characters of A-Z a-z 0-9 _ . : -",
                    field, text.substr(0, 64), core::limits::kNameBytesMax);
}

}  // namespace auth
