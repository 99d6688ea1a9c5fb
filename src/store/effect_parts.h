// The effects of one family each as bytes: what effect_codec.cc is made of. Each `write` puts the
// tag and the fields; each `read` reads the fields behind the tag, and fails the reader if they are
// none.
#pragma once

#include <cstdint>
#include <string_view>

#include "store/bytes.h"
#include "store/effect_codec.h"

namespace store {

inline void write_tag(ByteWriter& out, EffectTag tag) {
  out.byte(static_cast<uint8_t>(tag));
}

template <typename Enum>
Enum read_enum(ByteReader& in, uint64_t most) {
  return static_cast<Enum>(in.bounded(most));
}

// Queues and types.
void write(ByteWriter& out, const core::QueuePut& put);
void write(ByteWriter& out, const core::QueueSettingsPut& put);
void write(ByteWriter& out, const core::TypePausePut& put);
core::Effect read_queue_put(ByteReader& in);
core::Effect read_queue_settings_put(ByteReader& in);
core::Effect read_type_pause_put(ByteReader& in);

// Keys.
void write(ByteWriter& out, const core::KeyPut& put);
void write(ByteWriter& out, const core::KeyRemoved& removed);
void write(ByteWriter& out, const core::KeyExpiryPut& put);
void write(ByteWriter& out, const core::HashFieldPut& put);
void write(ByteWriter& out, const core::HashFieldRemoved& removed);
core::Effect read_key_put(ByteReader& in);
core::Effect read_key_expiry_put(ByteReader& in);
core::Effect read_hash_field_put(ByteReader& in);
core::Effect read_hash_field_removed(ByteReader& in);

// What a worker or a client adds to a job, or changes of it.
void write(ByteWriter& out, const core::JobLogged& logged);
void write(ByteWriter& out, const core::JobEdited& edited);
core::Effect read_job_logged(ByteReader& in);
core::Effect read_job_edited(ByteReader& in);

}  // namespace store
