// Jobs as bytes. A mask says which fields differ from their defaults: most jobs are plain, and the
// journal is as fast as its records are short.
#pragma once

#include <memory>

#include "core/job.h"
#include "store/bytes.h"
#include "store/tables.h"

namespace store {

// A whole job with its record, as the journal has it. Queue and type are not part of it; whoever
// stores a job stores their names beside it.
void encode_job(ByteWriter& out, const core::Job& job);

// Returns the job, with its record; fails the reader if the bytes are none.
core::Job decode_job(ByteReader& in);

// The record but for the args, as the tables have it: what of a job is not in its row's header.
void encode_record(ByteWriter& out, const core::Job& job);

// Returns the record, without args; fails the reader if the bytes are not that of a job in `state`.
std::unique_ptr<core::JobRecord> decode_record(ByteReader& in, core::JobState state);

// Returns the record of a row, with the row's args if it has them. CORRUPT: its bytes are no
// record.
base::Result<std::unique_ptr<core::JobRecord>> decode_row(const JobRow& row);

}  // namespace store
