#include "server/serve.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <vector>

#include "auth/roll.h"
#include "auth/token_file.h"
#include "base/log.h"
#include "server/audit_log.h"
#include "server/memory_limit.h"
#include "server/namespaces.h"
#include "server/options.h"
#include "server/server.h"
#include "server/settings.h"
#include "server/tls.h"
#include "store/file.h"

namespace server {

using base::ErrorCode;

namespace {

int exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kCorrupt:
      return kExitCorrupt;
    case ErrorCode::kUnavailable:
      return kExitUnavailable;
    case ErrorCode::kIo:
    case ErrorCode::kDiskFull:
      return kExitIo;
    case ErrorCode::kBadReq:
    case ErrorCode::kNotFound:  // A file that a setting names.
      return kExitUsage;
    default:
      return kExitFailed;
  }
}

int refuse_to_start(const base::Error& error, const std::string& data = "DIR") {
  fmt::print(stderr, "dray: {} {}\n", base::error_word(error.code), error.message);
  if (error.code == ErrorCode::kCorrupt) {
    fmt::print(stderr,
               "      No frame was changed. See what is damaged: dray check {0}\n"
               "      Then restore a backup: dray restore BACKUP --to NEWDIR\n"
               "      or take what can be read: dray salvage {0} --to NEWDIR\n",
               data);
  }
  return exit_code_of(error.code);
}

// The token of a file that only its owner can read; without the line's end.
base::Result<std::string> read_token(const std::string& path) {
  if (path.empty()) return std::string();
  // Far above any token, and far below what a stranger may send.
  constexpr size_t kTokenBytesMin = 16;
  constexpr size_t kTokenBytesMax = 1'024;
  base::Result<std::string> read = auth::read_secret_file("--token-file", path, kTokenBytesMax);
  if (!read) return base::fail(ErrorCode::kBadReq, "{}", read.error().message);
  std::string token = *std::move(read);
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  if (token.size() < kTokenBytesMin) {
    return base::fail(ErrorCode::kBadReq, "--token-file {} holds {} bytes, at least {} are wanted",
                      path, token.size(), kTokenBytesMin);
  }
  return token;
}

// Who is let in: by --token-file, and by the file of tokens.
base::Result<std::unique_ptr<auth::Roll>> make_roll(const ServeOptions& options) {
  auth::RollOptions roll_options;
  roll_options.admin_secret = TRY(read_token(options.token_file));
  roll_options.must_exist = !options.tokens.empty();
  roll_options.file = options.tokens;
  if (options.tokens.empty() && !options.data.empty()) {
    roll_options.file = fmt::format("{}/{}", options.data, auth::kTokenFileName);
  }
  auto roll = std::make_unique<auth::Roll>(std::move(roll_options));
  TRY(roll->open());
  return roll;
}

base::Result<std::unique_ptr<Tls>> make_tls(const TlsOptions& options) {
  if (!options.enabled()) {
    if (options.key.empty() && options.client_ca.empty()) return nullptr;
    return base::fail(ErrorCode::kBadReq, "--tls-key and --tls-client-ca need --tls-cert");
  }
  auto tls = std::make_unique<Tls>(options);
  TRY(tls->load());
  return tls;
}

using Homes = std::vector<std::unique_ptr<NamespaceHome>>;

// Which namespaces there are, the default one first; nothing of them is read yet.
base::Result<Homes> make_namespaces(const ServeOptions& options, store::FileSystem& files,
                                    const base::Clock& clock, engine::BufferGauge& buffers) {
  const std::vector<std::string> names = TRY(parse_namespaces(options.namespaces));
  if (options.journal == "null") {
    fmt::print(stderr, "dray: --journal null keeps nothing: for benchmarks only\n");
  } else if (options.data.empty()) {
    return base::fail(ErrorCode::kBadReq, "--data DIR is missing (or server.data in the file)");
  } else {
    TRY(remove_set_aside(files, options.data));
    for (const std::string& left_out : namespaces_left_out(files, options.data, names)) {
      LOG(kWarning, "a namespace has data and is not served: it is not in server.namespaces",
          {"namespace", left_out}, {"directory", namespace_directory(options.data, left_out)});
    }
  }
  Homes homes;
  for (const std::string& name : names) {
    homes.push_back(std::make_unique<NamespaceHome>(name, options, files, clock, buffers));
  }
  return homes;
}

// Closes what was opened. Nothing was written: why the server does not start is what matters.
void give_up(const Homes& homes) {
  for (const auto& home : homes) home->close();
}

// Each connection is a file; what is usual (1,024) is far below what the server can take.
void raise_file_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max) return;
  files.rlim_cur = files.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0) {
    LOG(kWarning, "the limit of open files cannot be raised", {"errno", errno});
  }
}

// What SIGHUP does: the sources are read again, and what can change while the server runs does.
class Reload {
 public:
  explicit Reload(const config::Settings& settings) : settings_(settings) {}

  void operator()() {
    const config::Settings now = settings_.read_again();
    if (!now.problems().empty()) {
      for (const std::string& problem : now.problems()) {
        LOG(kError, "the settings were not taken", {"problem", problem});
      }
      return;
    }
    const std::vector<config::Change> changes = settings_.changes_to(now);
    for (const config::Change& change : changes) {
      LOG(kWarning, change.key->is_reloadable ? "setting changed" : "setting needs a restart",
          {"setting", change.key->name}, {"before", change.before}, {"now", change.now});
    }
    if (changes.empty()) LOG(kInfo, "settings read again, nothing changed");
    base::log_set_level(serve_options(now).log_level);
    // What waits for a restart is told again by the next SIGHUP.
    settings_.adopt_reloadable(now);
  }

 private:
  config::Settings settings_;
};

}  // namespace

int serve(const config::Settings& settings, store::SystemCalls& calls) {
  const ServeOptions options = serve_options(settings);
  base::log_start({.level = options.log_level, .format = options.log_format});
  raise_file_limit();
  // OpenSSL writes to sockets whose peer may be gone; the error says so.
  std::signal(SIGPIPE, SIG_IGN);
  base::SystemClock clock;
  store::FileSystem files(calls);
  const auto roll = make_roll(options);
  if (!roll) return refuse_to_start(roll.error());
  const auto tls = make_tls(options.tls);
  if (!tls) return refuse_to_start(tls.error());
  engine::BufferGauge buffers;
  const uint64_t memory =
      options.memory_bytes != 0 ? options.memory_bytes : memory_budget(memory_limit());
  buffers.set_budget(memory / kBufferShare);
  const auto homes = make_namespaces(options, files, clock, buffers);
  if (!homes) return refuse_to_start(homes.error());
  std::vector<Served> served;
  for (const auto& home : *homes) served.push_back(home->served());
  AuditLog audit_log(clock);
  Server server(served, buffers, clock, {**roll, audit_log, tls->get(), options.insecure_i_know});
  server.set_limits({.connections_max = options.connections_max});
  // The first one makes the data directory, in which those of the others lie.
  for (const auto& home : *homes) {
    const base::Status recovered = home->recover();
    if (recovered) continue;
    give_up(*homes);
    return refuse_to_start(recovered.error(), home->directory());
  }
  server.on_reload(Reload(settings));
  base::Status listening = server.listen(options.resp, options.http);
  if (listening && options.journal != "null") {
    listening = audit_log.open(fmt::format("{}/{}", options.data, kAuditLogName));
  }
  if (!listening) {
    give_up(*homes);
    return refuse_to_start(listening.error());
  }
  fmt::print("ready resp={} http={}\n", server.resp_address(), server.http_address());
  std::fflush(stdout);
  return server.run();
}

}  // namespace server
