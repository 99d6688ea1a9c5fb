#include "auth/roll.h"

#include <sys/stat.h>

#include <algorithm>

#include "auth/token_file.h"

namespace auth {
namespace {

constexpr std::string_view kAdminId = "token-file";

PrincipalPtr admin_of(std::string_view secret) {
  if (secret.empty()) return nullptr;
  auto admin = std::make_shared<Principal>();
  admin->id = kAdminId;
  admin->name = kAdminId;
  admin->scopes = {{core::Right::kAdmin, "", true}};
  admin->job_namespace = kEveryNamespace;
  admin->rights.grant(core::Right::kAdmin, "", true);
  admin->secret = sha256(secret);
  return admin;
}

PrincipalPtr principal_of(const Token& token, const Digest& secret) {
  return std::make_shared<Principal>(Principal{token.id, token.name, token.scopes,
                                               token.job_namespace, token.rights(), secret,
                                               token.expires});
}

// Whether who holds the one may go on as if nothing had happened.
bool is_same(const Principal& held, const Token& token, const Digest& secret) {
  return held.secret == secret && held.scopes == token.scopes &&
         held.job_namespace == token.job_namespace && held.expires == token.expires &&
         held.name == token.name;
}

int64_t ns_of(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

Roll::Roll(RollOptions options)
    : options_(std::move(options)), admin_(admin_of(options_.admin_secret)) {
  asks_ = admin_ != nullptr;
}

base::Status Roll::open() {
  if (!look()) {
    if (options_.must_exist) TRY(read_token_file(options_.file));
    return {};
  }
  TRY(refresh());
  return {};
}

std::optional<Roll::Look> Roll::look() const {
  struct stat about = {};
  if (options_.file.empty() || ::stat(options_.file.c_str(), &about) != 0) return std::nullopt;
  return Look{about.st_dev, about.st_ino, about.st_size, ns_of(about.st_mtim),
              ns_of(about.st_ctim)};
}

base::Result<Roll::Change> Roll::refresh() {
  const std::optional<Look> now = look();
  if (now == seen_) return Change{};
  if (now) asks_ = true;  // Whatever is in it: somebody wants the door closed.
  base::Result<std::vector<Token>> tokens = read_token_file(options_.file);
  // Without its file nobody is let in: to lose it must not open the door.
  if (!tokens && tokens.error().code == base::ErrorCode::kNotFound) tokens.emplace();
  // A file that is wrong is complained of once, not at every look. One that could not be read, for
  // want of files say, is tried again.
  if (tokens || tokens.error().code == base::ErrorCode::kBadReq) seen_ = now;
  if (!tokens) return tl::unexpected(std::move(tokens).error());
  return take(*tokens);
}

Roll::Change Roll::take(const std::vector<Token>& tokens) {
  Change change{.changed = true, .added = {}, .removed = {}};
  std::unordered_map<std::string, Principals> fresh;
  for (const Token& token : tokens) {
    const auto held = tokens_.find(token.id);
    size_t kept = 0;
    Principals& principals = fresh[token.id];
    for (const Digest& secret : token.secrets) {
      PrincipalPtr principal;
      if (held != tokens_.end()) {
        const auto same = std::ranges::find_if(
            held->second, [&](const PrincipalPtr& p) { return is_same(*p, token, secret); });
        if (same != held->second.end()) principal = *same;
      }
      if (principal) ++kept;
      principals.push_back(principal ? principal : principal_of(token, secret));
    }
    const size_t had = held != tokens_.end() ? held->second.size() : 0;
    if (kept < principals.size()) change.added.push_back(token.id);
    if (kept < had) change.removed.push_back(token.id);
  }
  for (const auto& [id, principals] : tokens_) {
    if (!fresh.contains(id)) change.removed.push_back(id);
  }
  tokens_ = std::move(fresh);
  asks_ = true;
  find_next_expiry(base::WallTime{});
  return change;
}

void Roll::find_next_expiry(base::WallTime after) {
  next_expiry_.reset();
  for (const auto& [id, principals] : tokens_) {
    for (const PrincipalPtr& principal : principals) {
      const auto& expires = principal->expires;
      if (!expires || *expires <= after) continue;
      if (!next_expiry_ || *expires < *next_expiry_) next_expiry_ = expires;
    }
  }
}

bool Roll::anything_expired(base::WallTime now) {
  // The clock may be set back: then some that had expired are good again, and expire again.
  if (now < last_look_) find_next_expiry(now);
  last_look_ = now;
  if (!next_expiry_ || *next_expiry_ > now) return false;
  find_next_expiry(now);
  return true;
}

PrincipalPtr Roll::find(std::string_view name, std::string_view password,
                        base::WallTime now) const {
  // `id.secret` as one word, or the id as the name.
  const size_t dot = password.find('.');
  const bool is_whole = dot != std::string_view::npos;
  const std::string id(is_whole ? password.substr(0, dot) : name);
  const Digest given = sha256(is_whole ? password.substr(dot + 1) : password);
  const auto token = tokens_.find(id);
  // As many comparisons whatever the id and the secret are.
  static const Principals kNobody = {std::make_shared<Principal>()};
  const Principals& principals = token != tokens_.end() ? token->second : kNobody;
  PrincipalPtr found;
  for (size_t i = 0; i < kSecretsMax; ++i) {
    const PrincipalPtr& candidate = principals[std::min(i, principals.size() - 1)];
    if (same_digest(given, candidate->secret) && token != tokens_.end()) found = candidate;
  }
  const Digest whole = sha256(password);
  if (admin_ && same_digest(whole, admin_->secret)) found = admin_;
  if (found && found->expires && *found->expires <= now) return nullptr;
  return found;
}

bool Roll::holds(const Principal& principal, base::WallTime now) const {
  if (principal.expires && *principal.expires <= now) return false;
  if (admin_.get() == &principal) return true;
  const auto token = tokens_.find(principal.id);
  if (token == tokens_.end()) return false;
  return std::ranges::any_of(token->second,
                             [&](const PrincipalPtr& held) { return held.get() == &principal; });
}

}  // namespace auth
