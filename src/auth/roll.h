// Who is let in, and as whom: the tokens of the file as the server holds them, and the one token of
// --token-file.
//
// Threading: one owner, the I/O thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "auth/token.h"
#include "base/result.h"
#include "core/rights.h"

namespace auth {

// One secret of one token, and what it allows. Constant; it is shared by the roll and by every
// connection that came in with it, which judge commands by it for as long as they run.
struct Principal {
  std::string id;
  std::string name;
  std::vector<Scope> scopes;
  std::string job_namespace;  // Or kEveryNamespace.
  core::Rights rights;
  Digest secret{};
  std::optional<base::WallTime> expires;

  // Where it comes in.
  std::string_view home() const {
    return job_namespace == kEveryNamespace ? kDefaultNamespace : std::string_view(job_namespace);
  }
  bool may_enter(std::string_view name) const {
    return job_namespace == kEveryNamespace || job_namespace == name;
  }
};
using PrincipalPtr = std::shared_ptr<const Principal>;

struct RollOptions {
  std::string file;          // Of tokens; empty: none.
  bool must_exist = false;   // Was named by the operator, not found in the data directory.
  std::string admin_secret;  // Of --token-file; empty: none.
};

class Roll {
 public:
  // `file_` is looked at by `refresh`, the first time by `open`.
  explicit Roll(RollOptions options);

  // Reads the file. Errors: what is wrong with it; the server must not start then.
  base::Status open();

  // Whether nobody has to prove anything: there is no token, and never was one. A file that went
  // away leaves the door closed.
  bool is_public() const { return !asks_; }

  // Whom the password, or the name and the password, belong to; null for nobody. Takes as long for
  // an id that does not exist.
  PrincipalPtr find(std::string_view name, std::string_view password, base::WallTime now) const;

  // Whether who came in as `principal` may stay.
  bool holds(const Principal& principal, base::WallTime now) const;

  struct Change {
    bool changed = false;
    std::vector<std::string> added;
    std::vector<std::string> removed;  // Whole tokens, or what one has or may.
  };
  // Looks whether the file has changed, and reads it. What is wrong with it leaves all as it was.
  base::Result<Change> refresh();

  // Whether a token has expired since this was asked last.
  bool anything_expired(base::WallTime now);

 private:
  // What a file looks like from outside; another one has another.
  struct Look {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t bytes = 0;
    int64_t modified_ns = 0;
    int64_t changed_ns = 0;
    friend bool operator==(const Look&, const Look&) = default;
  };
  using Principals = std::vector<PrincipalPtr>;  // Of one token: one or two secrets.

  std::optional<Look> look() const;
  Change take(const std::vector<Token>& tokens);
  void find_next_expiry(base::WallTime after);

  const RollOptions options_;
  PrincipalPtr admin_;
  std::unordered_map<std::string, Principals> tokens_;
  std::optional<Look> seen_;
  bool asks_ = false;
  std::optional<base::WallTime> next_expiry_;
  base::WallTime last_look_;  // Of anything_expired().
};

}  // namespace auth
