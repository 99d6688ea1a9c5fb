// Tokens: what a client proves itself with, and what it may do then. The text of a token is
// `id.secret`. It is shown once, when it is made; only the SHA-256 of the secret is kept.
//
// Threading: none; values and free functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/job_namespace.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "core/rights.h"

namespace auth {

using Digest = std::array<uint8_t, 32>;

Digest sha256(std::string_view bytes);
// In a time that does not depend on where the two differ.
bool same_digest(const Digest& left, const Digest& right);
std::string hex_of(const Digest& digest);
std::optional<Digest> digest_of_hex(std::string_view hex);

// A right on the queues whose name is `name`, or begins with it.
struct Scope {
  core::Right right = core::Right::kRead;
  std::string name;
  bool is_prefix = false;

  friend bool operator==(const Scope&, const Scope&) = default;
};

// "enqueue:emails", "work:emails*", "admin:*".
base::Result<Scope> parse_scope(std::string_view text);
std::string scope_text(const Scope& scope);

struct Token {
  std::string id;
  std::string name;  // For people.
  std::vector<Scope> scopes;
  std::string job_namespace{kDefaultNamespace};  // Or kEveryNamespace.
  base::WallTime created;
  std::optional<base::WallTime> expires;
  std::vector<Digest> secrets;  // The newest first; two while a token is being rotated.

  core::Rights rights() const;
};

inline constexpr size_t kSecretsMax = 2;
inline constexpr size_t kScopesMax = 64;
inline constexpr size_t kTokensMax = 10'000;

// An id is to be told apart from others, a secret not to be guessed: 50 and 260 random bits.
std::string new_id(base::Random& random);
std::string new_secret(base::Random& random);

// A namespace, or kEveryNamespace.
base::Status check_token_namespace(std::string_view text);

// What is wrong with a name or an id, if anything is.
base::Status check_token_word(std::string_view field, std::string_view text);

}  // namespace auth
