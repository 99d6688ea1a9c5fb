// What `dray serve` is told on the command line.
#pragma once

#include <cstdint>
#include <string>

#include "base/log.h"

namespace server {

struct Address {
  std::string host;
  uint16_t port = 0;  // 0: any free one; the ready line says which.
};

// TLS is on when there is a certificate.
struct TlsOptions {
  std::string certificate;  // The chain, in PEM.
  std::string key;          // Its private key, readable by its owner only.
  std::string client_ca;    // Clients must show a certificate of this authority; empty: none.

  bool enabled() const { return !certificate.empty(); }
};

struct ServeOptions {
  std::string data;  // The data directory.
  Address resp{"127.0.0.1", 3729};
  Address http{"127.0.0.1", 3730};
  std::string token_file;  // Holds a token that may do everything; empty: none.
  std::string tokens;      // The file of the other tokens; empty: in the data directory.
  TlsOptions tls;
  bool insecure_i_know = false;        // Addresses that strangers can reach may be unguarded.
  std::string journal = "files";       // "null": for benchmarks, keeps nothing.
  uint64_t journal_segment_bytes = 0;  // 0: by the volume.
  uint64_t journal_budget_bytes = uint64_t{4} << 30;
  bool allow_volatile = false;
  int64_t audit_seconds = 3'600;
  base::LogLevel log_level = base::LogLevel::kInfo;
};

// Exit codes of the server, as sysexits.h has them.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitCorrupt = 65;      // The data cannot be verified.
inline constexpr int kExitUnavailable = 69;  // An address or the data directory is taken.
inline constexpr int kExitIo = 74;           // The journal failed while serving.

}  // namespace server
