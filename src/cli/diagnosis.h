// The usual mistakes in running a server, each found in what it tells of itself. Pure: no server is
// asked here.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cli/snapshot.h"

namespace cli {

struct Facts {
  Snapshot server = {};
  std::string own_version = {};  // Of this program.
  // How far the server's calendar is ahead of ours, known to half the way there and back.
  int64_t skew_ms = 0;
  int64_t round_trip_ms = 0;
};

enum class Verdict : uint8_t { kGood, kUnknown, kBad };

struct Finding {
  Verdict verdict;
  std::string subject;      // "clock", "disk" …
  std::string what;         // One line.
  std::string remedy = {};  // What to do; of kBad.
};

// One finding for each thing that was looked at, queues that are well together.
std::vector<Finding> diagnose(const Facts& facts);

}  // namespace cli
