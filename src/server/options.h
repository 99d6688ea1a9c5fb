// What `dray serve` is told: by its file, the environment and the command line. The table that
// fills it is in settings.cc; defaults stand there.
#pragma once

#include <cstdint>
#include <string>

#include "base/log.h"
#include "config/address.h"

namespace server {

using config::Address;

// TLS is on when there is a certificate.
struct TlsOptions {
  std::string certificate = {};  // The chain, in PEM.
  std::string key = {};          // Its private key, readable by its owner only.
  std::string client_ca = {};    // Clients must show a certificate of this authority; empty: none.

  bool enabled() const { return !certificate.empty(); }
};

struct ServeOptions {
  std::string data;        // The data directory.
  std::string namespaces;  // Names, with spaces between; beside the default one.
  Address resp;
  Address http;
  std::string token_file;  // Holds a token that may do everything; empty: none.
  std::string tokens;      // The file of the other tokens; empty: in the data directory.
  TlsOptions tls;
  bool insecure_i_know = false;        // Addresses that strangers can reach may be unguarded.
  std::string journal;                 // "files", or "null": for benchmarks, keeps nothing.
  uint64_t journal_segment_bytes = 0;  // 0: by the volume.
  uint64_t journal_budget_bytes = 0;
  bool allow_volatile = false;
  size_t connections_max = 0;
  uint64_t memory_bytes = 0;  // 0: by the machine and its control group.
  int64_t audit_seconds = 0;
  base::LogLevel log_level = base::LogLevel::kInfo;
  base::LogFormat log_format = base::LogFormat::kAuto;
};

// Exit codes of the server, as sysexits.h has them.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitCorrupt = 65;      // The data cannot be verified.
inline constexpr int kExitUnavailable = 69;  // An address or the data directory is taken.
inline constexpr int kExitIo = 74;           // The journal failed while serving.

}  // namespace server
