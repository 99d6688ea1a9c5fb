// The file of the tokens, in TOML. Only its owner may read it; who changes it writes it anew and
// renames it into place, so that a reader sees the old tokens or the new ones.
//
// Threading: none; free functions. The file is locked against other processes where it says so.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/token.h"
#include "base/result.h"

namespace auth {

// The name of the file in a data directory.
inline constexpr std::string_view kTokenFileName = "tokens.toml";

// Errors: BADREQ with the line of what cannot be understood. No error quotes the file.
base::Result<std::vector<Token>> parse_tokens(std::string_view text);
std::string format_tokens(const std::vector<Token>& tokens);

// Errors: NOTFOUND without a file; BADREQ when others may read it, or it is none of ours.
base::Result<std::vector<Token>> read_token_file(const std::string& path);

// Reads the file (none: no tokens yet), lets `change` work on it, writes it if that succeeds. Holds
// a lock meanwhile: two changes at once do not undo one another.
using TokenChange = std::function<base::Status(std::vector<Token>&)>;
base::Status change_token_file(const std::string& path, const TokenChange& change);

// The whole of a small file that holds secrets. Errors as of read_token_file; `what` names it.
base::Result<std::string> read_secret_file(std::string_view what, const std::string& path,
                                           size_t bytes_max);

}  // namespace auth
