#include "auth/token_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "base/toml.h"

namespace auth {

using base::ErrorCode;

namespace {

constexpr size_t kFileBytesMax = size_t{16} << 20;

// A file descriptor that ends with its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

base::Error bad(const toml::node& node, std::string_view why) {
  return base::Error{ErrorCode::kBadReq, fmt::format("line {}: {}", node.source().begin.line, why)};
}

base::WallTime wall_of(const toml::date_time& time) {
  const auto date = std::chrono::year(time.date.year) / std::chrono::month(time.date.month) /
                    std::chrono::day(time.date.day);
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const int64_t day_ms = days * 86'400'000;
  const int64_t seconds = time.time.hour * 3'600 + time.time.minute * 60 + time.time.second;
  const int64_t offset_minutes = time.offset ? time.offset->minutes : 0;
  return base::WallTime{day_ms + seconds * 1'000 + time.time.nanosecond / 1'000'000 -
                        offset_minutes * 60'000};
}

base::Result<base::WallTime> read_time(const toml::node& node) {
  const auto* const time = node.as_date_time();
  if (time == nullptr) return bad(node, "this is to be a time such as 2026-01-31T12:00:00Z");
  return wall_of(time->get());
}

base::Status read_scopes(const toml::node& node, Token& token) {
  const toml::array* const list = node.as_array();
  if (list == nullptr || list->size() > kScopesMax) {
    return bad(node, fmt::format("scopes is a list of at most {} texts", kScopesMax));
  }
  for (const toml::node& entry : *list) {
    const auto text = entry.value_exact<std::string>();
    if (!text) return bad(entry, "a scope is a text such as \"work:emails*\"");
    auto scope = parse_scope(*text);
    if (!scope) return bad(entry, scope.error().message);
    token.scopes.push_back(*std::move(scope));
  }
  return {};
}

base::Status read_secrets(const toml::node& node, Token& token) {
  const toml::array* const list = node.as_array();
  if (list == nullptr || list->empty() || list->size() > kSecretsMax) {
    return bad(node, "secrets is a list of one or two SHA-256 sums");
  }
  for (const toml::node& entry : *list) {
    const auto digest = digest_of_hex(entry.value_exact<std::string>().value_or(""));
    if (!digest) return bad(entry, "a secret is kept as its SHA-256, 64 hexadecimal digits");
    token.secrets.push_back(*digest);
  }
  return {};
}

base::Status read_field(std::string_view field, const toml::node& node, Token& token) {
  if (field == "id" || field == "name") {
    std::string& target = field == "id" ? token.id : token.name;
    target = node.value_exact<std::string>().value_or("");
    if (const base::Status fits = check_token_word(field, target); !fits) {
      return bad(node, fits.error().message);
    }
    return {};
  }
  if (field == "namespace") {
    token.job_namespace = node.value_exact<std::string>().value_or("");
    if (const base::Status fits = check_token_namespace(token.job_namespace); !fits) {
      return bad(node, fits.error().message);
    }
    return {};
  }
  if (field == "scopes") return read_scopes(node, token);
  if (field == "secrets") return read_secrets(node, token);
  if (field == "created") {
    token.created = TRY(read_time(node));
    return {};
  }
  if (field == "expires") {
    token.expires = TRY(read_time(node));
    return {};
  }
  // A field that is not understood may be one that says no.
  return bad(node, fmt::format("a token has no field '{}'", field.substr(0, 64)));
}

base::Result<Token> read_token(const toml::node& node) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) return bad(node, "tokens are written as [[token]]");
  Token token;
  for (const auto& [key, value] : *table) TRY(read_field(key.str(), value, token));
  if (token.id.empty() || token.secrets.empty()) {
    return bad(node, "a token needs an id and secrets");
  }
  if (token.id.find('.') != std::string::npos) return bad(node, "an id has no dot");
  return token;
}

base::Error no_access(std::string_view what, const std::string& path, int error) {
  // What may be over the next time is no fault of the file.
  const bool passes = error == EMFILE || error == ENFILE || error == EIO || error == ENOMEM;
  const ErrorCode code = error == ENOENT ? ErrorCode::kNotFound
                         : passes        ? ErrorCode::kIo
                                         : ErrorCode::kBadReq;
  return base::Error{code,
                     fmt::format("{} {} cannot be read: {}", what, path, std::strerror(error))};
}

base::Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(fd, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return base::fail(ErrorCode::kIo, "{}", std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  return {};
}

base::Status replace_file(const std::string& path, int directory, std::string_view text) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());  // Of a change that was cut off; the lock is ours.
  const auto failed = [&](std::string_view what) {
    const int error = errno;
    ::unlink(fresh.c_str());
    return base::fail(ErrorCode::kIo, "{} {}: {}", what, fresh, std::strerror(error));
  };
  constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;
  const Descriptor file(
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kOwnerOnly));
  if (!file.ok()) return failed("cannot make");
  if (!write_all(file.get(), text)) return failed("cannot write");
  if (::fsync(file.get()) != 0) return failed("cannot sync");
  // The one who serves may be another user than the one who administers.
  struct stat home = {};
  if (::fstat(directory, &home) != 0) return failed("cannot look at the directory of");
  if (home.st_uid != ::geteuid() && ::fchown(file.get(), home.st_uid, home.st_gid) != 0) {
    return failed("cannot give to the directory's owner");
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return failed("cannot put in place");
  if (::fsync(directory) != 0) return failed("cannot sync the directory of");
  return {};
}

}  // namespace

base::Result<std::vector<Token>> parse_tokens(std::string_view text) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return base::fail(ErrorCode::kBadReq, "line {}: {}", parsed.error().source().begin.line,
                      "this is not TOML");
  }
  std::vector<Token> tokens;
  for (const auto& [key, value] : parsed.table()) {
    const toml::array* const list = value.as_array();
    if (key.str() != "token" || list == nullptr) return bad(value, "only [[token]] is known");
    if (list->size() > kTokensMax) {
      return bad(value, fmt::format("limit={} got={} tokens", kTokensMax, list->size()));
    }
    for (const toml::node& entry : *list) tokens.push_back(TRY(read_token(entry)));
  }
  std::vector<std::string_view> ids;
  for (const Token& token : tokens) ids.push_back(token.id);
  std::ranges::sort(ids);
  if (const auto twice = std::ranges::adjacent_find(ids); twice != ids.end()) {
    return base::fail(ErrorCode::kBadReq, "the id {} stands there twice", *twice);
  }
  return tokens;
}

std::string format_tokens(const std::vector<Token>& tokens) {
  std::string text =
      "# The tokens of a Dray server, made by `dray token`. A secret is kept as its SHA-256 and "
      "can "
      "not be\n# shown again. The server reads changes by itself.\n";
  for (const Token& token : tokens) {
    text += fmt::format("\n[[token]]\nid = \"{}\"\n", token.id);
    if (!token.name.empty()) text += fmt::format("name = \"{}\"\n", token.name);
    text += "scopes = [";
    for (const Scope& scope : token.scopes) {
      text += fmt::format("{}\"{}\"", &scope == token.scopes.data() ? "" : ", ", scope_text(scope));
    }
    text += "]\n";
    // As older versions have it: they would refuse the whole file for a field that they don't know.
    if (token.job_namespace != kDefaultNamespace) {
      text += fmt::format("namespace = \"{}\"\n", token.job_namespace);
    }
    text += fmt::format("created = {}\n", base::rfc3339(token.created));
    if (token.expires) text += fmt::format("expires = {}\n", base::rfc3339(*token.expires));
    text += "secrets = [\n";
    for (const Digest& secret : token.secrets) text += fmt::format("  \"{}\",\n", hex_of(secret));
    text += "]\n";
  }
  return text;
}

base::Result<std::string> read_secret_file(std::string_view what, const std::string& path,
                                           size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about = {};
  if (!file.ok() || ::fstat(file.get(), &about) != 0) return no_access(what, path, errno);
  if (!S_ISREG(about.st_mode)) {
    return base::fail(ErrorCode::kBadReq, "{} {} cannot be read: it is not a file", what, path);
  }
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return base::fail(ErrorCode::kBadReq, "{} {} can be read by others: chmod 600 it", what, path);
  }
  std::string bytes(bytes_max + 1, '\0');
  size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return no_access(what, path, errno);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > bytes_max) {
    return base::fail(ErrorCode::kBadReq, "{} {} holds more than that: at most {} bytes are read",
                      what, path, bytes_max);
  }
  bytes.resize(size);
  return bytes;
}

base::Result<std::vector<Token>> read_token_file(const std::string& path) {
  constexpr std::string_view kWhat = "the tokens file";
  const std::string text = TRY(read_secret_file(kWhat, path, kFileBytesMax));
  return base::with_context(parse_tokens(text), fmt::format("{} {}", kWhat, path));
}

base::Status change_token_file(const std::string& path, const TokenChange& change) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string directory = parent.empty() ? "." : parent;
  const Descriptor lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock.ok() || ::flock(lock.get(), LOCK_EX) != 0) {
    return no_access("the directory of the tokens file", directory, errno);
  }
  base::Result<std::vector<Token>> tokens = read_token_file(path);
  if (!tokens && tokens.error().code == ErrorCode::kNotFound) tokens.emplace();
  std::vector<Token> changed = TRY(std::move(tokens));
  TRY(change(changed));
  if (changed.size() > kTokensMax) {
    return base::fail(ErrorCode::kTooBig, "limit={} tokens: revoke some first", kTokensMax);
  }
  return replace_file(path, lock.get(), format_tokens(changed));
}

}  // namespace auth
