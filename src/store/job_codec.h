// A job record as bytes. A mask says which fields differ from their defaults: most jobs are plain,
// and the journal is as fast as its records are short.
#pragma once

#include <memory>

#include "core/job.h"
#include "store/bytes.h"

namespace store {

// Queue and type are not part of it; whoever stores a job stores their names beside it.
void encode_job(ByteWriter& out, const core::Job& job);

// Returns the job; fails the reader if the bytes are none.
std::unique_ptr<core::Job> decode_job(ByteReader& in);

}  // namespace store
