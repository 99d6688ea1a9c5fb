#include "server/settings.h"

#include <array>

#include "base/assert.h"
#include "server/memory_limit.h"

namespace server {
namespace {

using config::Key;
using config::Kind;
using config::Value;

constexpr int64_t kSecondMs = 1'000;
constexpr int64_t kDayMs = 86'400 * kSecondMs;

struct Row {
  Key key;
  void (*take)(const Value& value, ServeOptions& options);
};

// A value that is wrong never gets here.
Address address_of(const Value& value) {
  const base::Result<Address> address = config::parse_address(value.text);
  ASSERT(address.has_value());
  return *address;
}

base::LogFormat log_format_of(const Value& value) {
  if (value.text == "json") return base::LogFormat::kJson;
  return value.text == "text" ? base::LogFormat::kLogfmt : base::LogFormat::kAuto;
}

const std::array kRows = {
    Row{{.name = "server.data",
         .flag = "--data",
         .kind = Kind::kPath,
         .doc = "The data directory; made if it is not there."},
        [](const Value& value, ServeOptions& options) { options.data = value.text; }},
    Row{{.name = "server.resp",
         .flag = "--resp",
         .kind = Kind::kAddress,
         .otherwise = "127.0.0.1:3729",
         .doc = "The address for workers and clients."},
        [](const Value& value, ServeOptions& options) { options.resp = address_of(value); }},
    Row{{.name = "server.http",
         .flag = "--http",
         .kind = Kind::kAddress,
         .otherwise = "127.0.0.1:3730",
         .doc = "The address for health and metrics."},
        [](const Value& value, ServeOptions& options) { options.http = address_of(value); }},
    Row{{.name = "server.namespaces",
         .flag = "--namespaces",
         .doc = "The namespaces beside the default one: names with a space between, 15 at most."},
        [](const Value& value, ServeOptions& options) { options.namespaces = value.text; }},
    Row{{.name = "server.connections_max",
         .flag = "--connections-max",
         .kind = Kind::kCount,
         .otherwise = "10000",
         .doc = "RESP connections at the same time; the last 16 are for loopback.",
         .least = 1,
         .most = 1'000'000},
        [](const Value& value, ServeOptions& options) {
          options.connections_max = static_cast<size_t>(value.number);
        }},
    Row{{.name = "server.memory",
         .flag = "--memory",
         .kind = Kind::kSize,
         .doc = "Memory to plan with, at least 256MiB: connections may hold a quarter of it. By "
                "default a quarter of the machine's or the control group's.",
         .least = kMemoryBudgetMin},
        [](const Value& value, ServeOptions& options) {
          options.memory_bytes = static_cast<uint64_t>(value.number);
        }},
    Row{{.name = "server.allow_volatile",
         .flag = "--allow-volatile",
         .kind = Kind::kFlag,
         .otherwise = "false",
         .doc = "Serve from a volume that may not keep what it was given (tmpfs, NFS, overlay)."},
        [](const Value& value, ServeOptions& options) {
          options.allow_volatile = value.number != 0;
        }},
    Row{{.name = "server.insecure_i_know",
         .flag = "--insecure-i-know",
         .kind = Kind::kFlag,
         .otherwise = "false",
         .doc = "Listen without tokens or TLS where other machines can reach it."},
        [](const Value& value, ServeOptions& options) {
          options.insecure_i_know = value.number != 0;
        }},
    Row{{.name = "server.audit_every",
         .flag = "--audit-every",
         .kind = Kind::kDuration,
         .otherwise = "1h",
         .doc = "The time between two recounts of all jobs, with a look at all tables.",
         .least = kSecondMs,
         .most = kDayMs,
         .takes_bare_seconds = true},
        [](const Value& value, ServeOptions& options) {
          options.audit_seconds = value.number / kSecondMs;
        }},
    Row{{.name = "auth.token_file",
         .flag = "--token-file",
         .kind = Kind::kPath,
         .doc = "A file with one token that may do everything (mode 0600)."},
        [](const Value& value, ServeOptions& options) { options.token_file = value.text; }},
    Row{{.name = "auth.tokens_file",
         .flag = "--tokens",
         .kind = Kind::kPath,
         .doc =
             "The file of the tokens that clients must AUTH with, made by dray token; by default "
             "tokens.toml in the data directory, if it is there."},
        [](const Value& value, ServeOptions& options) { options.tokens = value.text; }},
    Row{{.name = "tls.cert_file",
         .flag = "--tls-cert",
         .kind = Kind::kPath,
         .doc = "A certificate chain in PEM: both addresses speak TLS only."},
        [](const Value& value, ServeOptions& options) { options.tls.certificate = value.text; }},
    Row{{.name = "tls.key_file",
         .flag = "--tls-key",
         .kind = Kind::kPath,
         .doc = "Its private key in PEM (mode 0600)."},
        [](const Value& value, ServeOptions& options) { options.tls.key = value.text; }},
    Row{{.name = "tls.client_ca_file",
         .flag = "--tls-client-ca",
         .kind = Kind::kPath,
         .doc = "Clients must show a certificate of this authority."},
        [](const Value& value, ServeOptions& options) { options.tls.client_ca = value.text; }},
    Row{{.name = "journal.kind",
         .flag = "--journal",
         .kind = Kind::kChoice,
         .otherwise = "files",
         .doc = "null keeps nothing: for benchmarks.",
         .choices = "files null"},
        [](const Value& value, ServeOptions& options) { options.journal = value.text; }},
    Row{{.name = "journal.budget",
         .flag = "--journal-budget",
         .kind = Kind::kSize,
         .otherwise = "4GiB",
         .doc = "What the journal may take on disk."},
        [](const Value& value, ServeOptions& options) {
          options.journal_budget_bytes = static_cast<uint64_t>(value.number);
        }},
    Row{{.name = "journal.segment",
         .flag = "--journal-segment",
         .kind = Kind::kSize,
         .otherwise = "0",
         .doc = "The size of one journal file; 0: by the size of the volume."},
        [](const Value& value, ServeOptions& options) {
          options.journal_segment_bytes = static_cast<uint64_t>(value.number);
        }},
    Row{{.name = "log.level",
         .flag = "--log-level",
         .kind = Kind::kChoice,
         .otherwise = "info",
         .doc = "What is logged at the least.",
         .is_reloadable = true,
         .choices = "debug info warning error"},
        [](const Value& value, ServeOptions& options) {
          options.log_level = base::log_level(value.text).value_or(base::LogLevel::kInfo);
        }},
    Row{{.name = "log.format",
         .flag = "--log-format",
         .kind = Kind::kChoice,
         .otherwise = "auto",
         .doc = "auto: lines for people on a terminal, JSON otherwise.",
         .choices = "auto text json"},
        [](const Value& value, ServeOptions& options) {
          options.log_format = log_format_of(value);
        }},
};

std::array<Key, kRows.size()> make_keys() {
  std::array<Key, kRows.size()> keys{};
  for (size_t i = 0; i < kRows.size(); ++i) keys[i] = kRows[i].key;
  return keys;
}

}  // namespace

std::span<const config::Key> serve_keys() {
  static const std::array keys = make_keys();
  return keys;
}

ServeOptions serve_options(const config::Settings& settings) {
  ServeOptions options;
  for (const Row& row : kRows) row.take(settings.value(row.key.name), options);
  return options;
}

}  // namespace server
