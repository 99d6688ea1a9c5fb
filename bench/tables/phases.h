// What the benchmark of the tables does, phase by phase, on one file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "store/file.h"
#include "store/tables.h"

namespace bench {

struct TablesOptions {
  std::string directory;
  uint64_t rows = 1'000'000;
  uint64_t flush_rows = 50'000;
  uint64_t args_bytes = 150;
  uint64_t record_bytes = 28;  // What a plain job's record has without args.
  uint32_t queues = 1;
  uint64_t steady_flushes = 40;
  uint64_t scattered_flushes = 5;
};

class TablesPhases {
 public:
  explicit TablesPhases(TablesOptions options);

  base::Status open();
  base::Status fill();
  base::Status start(bool cold);  // Opens anew and reads the lanes.
  base::Status read_back();
  base::Status steady();     // Oldest out, new ones in.
  base::Status scattered();  // New states of jobs anywhere; args stay.
  base::Status verify();
  base::Status drain();
  void report_size(const char* when) const;

 private:
  struct Batch {
    std::vector<store::JobRow> rows;
    std::vector<core::JobId> erased;
  };

  store::JobRow make_row(uint64_t id) const;
  base::Status apply(const Batch& batch, std::vector<double>& flush_ms);
  std::string path() const { return options_.directory + "/tables.db"; }

  const TablesOptions options_;
  base::SeededRandom random_{1};
  std::string noise_;
  store::FileSystem files_{store::kernel_calls()};
  std::unique_ptr<store::Tables> tables_;
  uint64_t first_ = 1;  // Ids that have rows: [first_, next_).
  uint64_t next_ = 1;
  uint64_t ready_seq_ = 1;
  uint64_t applied_seq_ = 0;
};

}  // namespace bench
