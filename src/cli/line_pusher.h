// Pushes the jobs of a file, one a line, for `dray push --ndjson`: in batches, with exact counts,
// and so that the same command given again pushes nothing twice.
#pragma once
#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.h"
#include "cli/push_line.h"
#include "dray/client.h"

namespace cli {

struct LineOptions {
  // Each line's job is pushed as request "<request>:<line>", which the server knows again; a line
  // that names its own keeps it. Empty: none.
  std::string request = {};
  std::optional<std::chrono::milliseconds> request_for = {};  // Default 1 h.
  bool prints_ids = true;
  Form form = Form::kTable;
};

// What JOB.PUSH answered: the id, or an object of it.
void print_pushed(const dray::Pushed& pushed, Form form);

// Threading: one owner.
class LinePusher {
 public:
  LinePusher(dray::Client& client, LineOptions options)
      : client_(client), options_(std::move(options)) {}

  // `path` may be - for stdin. Returns the exit code; what happened is on stderr.
  int run(const std::string& path);

 private:
  int push_all(std::istream& in);
  bool take(std::string_view line);
  bool push_batch();
  int stopped(size_t line, std::string_view why) const;
  void show_progress() const;
  std::string counts() const;

  dray::Client& client_;
  LineOptions options_;
  PushLineReader reader_;
  std::vector<dray::NewJob> batch_;
  size_t batch_bytes_ = 0;
  size_t line_number_ = 0;
  size_t first_line_ = 0;  // Of the batch.
  uint64_t bytes_read_ = 0;
  uint64_t bytes_in_all_ = 0;  // 0: not known.
  bool is_live_ = false;       // Somebody looks on.
  size_t pushed_ = 0;
  size_t created_ = 0;
  std::string refusal_;
};

}  // namespace cli
