// A job to push as one line of JSON: what `dray push --ndjson -` reads.
//   {"queue": "emails", "type": "send_email", "args": {"to": "ann"}, "delay": "5m", "key": "k-1"}
#pragma once
#include <memory>
#include <string_view>

#include "base/result.h"
#include "dray/job.h"

namespace cli {

// Threading: one owner; keeps a parser's memory from line to line.
class PushLineReader {
 public:
  PushLineReader();
  ~PushLineReader();
  PushLineReader(const PushLineReader&) = delete;
  PushLineReader& operator=(const PushLineReader&) = delete;

  // Reads an object with queue, type and any of args delay at priority attempts backoff timeout
  // soft_timeout lease expire keep crashes key on_duplicate request request_for meta. `args` is any
  // JSON, pushed exactly as it stands; without it they are {}. Durations are texts such as "5m", or
  // numbers of milliseconds. A field that is none of these is an error.
  base::Result<dray::NewJob> read(std::string_view line);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

// Whether `text` is one whole JSON value.
base::Status check_json(std::string_view text);

// "return", "error" or "replace".
base::Result<dray::OnDuplicate> parse_on_duplicate(std::string_view text);

}  // namespace cli
