// Any bytes as a job's record in the tables, for each state that a job may be in: an error, or a
// record that can be written again and then stays the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "store/bytes.h"
#include "store/job_codec.h"

namespace {

std::string written(core::Job& job, std::unique_ptr<core::JobRecord> record) {
  job.record = std::move(record);
  std::string bytes;
  store::ByteWriter out(bytes);
  store::encode_record(out, job);
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto state = static_cast<core::JobState>(data[0] % core::kJobStateCount);
  store::ByteReader in({reinterpret_cast<const char*>(data + 1), size - 1});
  std::unique_ptr<core::JobRecord> record = store::decode_record(in, state);
  if (record == nullptr || !in.ok()) return 0;
  core::Job job;
  job.state = state;
  const std::string once = written(job, std::move(record));
  store::ByteReader second(once);
  record = store::decode_record(second, state);
  ASSERT(record != nullptr && second.ok(), "what was read can't be read again");
  ASSERT(written(job, std::move(record)) == once, "a record that is read differently");
  return 0;
}
