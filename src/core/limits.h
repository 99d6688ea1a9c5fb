// Every bound of the job model, with its unit and its reason. Full means a named error.
#pragma once

#include <cstddef>
#include <cstdint>

namespace core::limits {

// Names (queue, type, worker label) and client keys, in bytes: long enough for a class path.
inline constexpr size_t kNameBytesMax = 128;
// Args of one job by default; the configuration may raise it up to kArgsBytesCap.
inline constexpr size_t kArgsBytesMax = size_t{1} << 20;
inline constexpr size_t kArgsBytesCap = size_t{16} << 20;
// Meta map of a job, keys and values together.
inline constexpr size_t kMetaBytesMax = size_t{8} << 10;
// Result of a job.
inline constexpr size_t kResultBytesMax = size_t{1} << 20;
// Progress of a job: it is in every GET and in each new lease.
inline constexpr size_t kProgressBytesMax = size_t{64} << 10;
// What one attempt keeps of its failure.
inline constexpr size_t kErrorClassBytesMax = 256;
inline constexpr size_t kErrorMessageBytesMax = size_t{4} << 10;
inline constexpr size_t kErrorTraceBytesMax = size_t{16} << 10;
// Attempts whose history a job keeps; older ones go first.
inline constexpr size_t kHistoryMax = 32;
// Log of one attempt: the oldest lines go when it is full. A line counts its text and this much.
inline constexpr size_t kLogBytesMax = size_t{256} << 10;
inline constexpr size_t kLogLineBytes = 32;
inline constexpr size_t kLogTextBytesMax = kLogBytesMax - kLogLineBytes;

// One atomic command (MPUSH, EXEC) or one list of ids.
inline constexpr size_t kBatchItemsMax = 10'000;
inline constexpr size_t kBatchBytesMax = size_t{16} << 20;
inline constexpr uint32_t kFetchCountMax = 1'000;
// Of one reply that holds several jobs: a FETCH ends there, a WAIT leaves out the rest's payloads.
inline constexpr size_t kReplyBytesMax = size_t{16} << 20;
// Bytes of records that one command may have read from the tables, since they are in memory at the
// same time; and a number of jobs that may be named whatever they hold.
inline constexpr size_t kReadTogetherBytesMax = size_t{64} << 20;
inline constexpr size_t kReadTogetherJobsFree = 4;
inline constexpr size_t kFetchQueuesMax = 64;
inline constexpr size_t kFetchTypesMax = 256;
inline constexpr uint32_t kWeightMax = 1'000'000;

inline constexpr int kPriorityMin = 0;
inline constexpr int kPriorityMax = 9;
inline constexpr int kPriorityDefault = 5;
inline constexpr int kPriorityCount = kPriorityMax + 1;

inline constexpr uint32_t kAttemptsDefault = 4;
inline constexpr uint32_t kAttemptsMax = 1'000;
inline constexpr uint32_t kCrashesDefault = 3;
inline constexpr uint32_t kCrashesMax = 1'000;
// From this crash on a job is leased alone.
inline constexpr uint32_t kSuspectCrashes = 2;

// All times in milliseconds.
inline constexpr int64_t kSecondMs = 1'000;
inline constexpr int64_t kMinuteMs = 60 * kSecondMs;
inline constexpr int64_t kHourMs = 60 * kMinuteMs;
inline constexpr int64_t kDayMs = 24 * kHourMs;
inline constexpr int64_t kDurationMsMax = 315'576'000'000;  // Ten years.
inline constexpr int64_t kLeaseMsDefault = 30 * kSecondMs;
inline constexpr int64_t kLeaseMsMin = 1;
inline constexpr int64_t kLeaseMsMax = kDayMs;
inline constexpr int64_t kTimeoutMsDefault = 30 * kMinuteMs;
inline constexpr int64_t kTimeoutSlackMsMin = 5 * kSecondMs;
inline constexpr int64_t kTimeoutSlackPercent = 10;
inline constexpr int64_t kCrashDelayMs = kSecondMs;  // A first lost lease comes back after this.
inline constexpr int kCrashJitterPercent = 50;
inline constexpr int64_t kRestartGraceMsMax = 30 * kSecondMs;
inline constexpr int64_t kStallMs = kSecondMs;  // A gap of the loop above this is a stall.
inline constexpr int64_t kFetchBlockMsCap = kMinuteMs;
inline constexpr int64_t kWaitBlockMsCap = kMinuteMs;
inline constexpr size_t kWaitJobsMax = 1'000;
inline constexpr int64_t kRestartGapMsMax = kHourMs;  // Engine time credited over a restart.
inline constexpr int64_t kWallJumpMs = kHourMs;       // A step forward above this holds AT.
inline constexpr int64_t kWallHoldMs = kMinuteMs;     // For this long.

// Idempotency.
inline constexpr int64_t kRequestMsDefault = 10 * kMinuteMs;
inline constexpr int64_t kRequestMsMax = kDayMs;
inline constexpr size_t kRequestTokensMax = 1'000'000;
inline constexpr size_t kProducersMax = 10'000;
inline constexpr size_t kProducerWindow = 1'024;
inline constexpr int64_t kProducerIdleMs = 10 * kMinuteMs;

// Answers to repeated terminal commands after the record is gone.
inline constexpr int64_t kLedgerMs = kMinuteMs;
inline constexpr size_t kLedgerEntriesMax = 16'000'000;

// Finished records without KEEP: oldest out first beyond this many bytes.
inline constexpr size_t kHistoryBytesMax = size_t{256} << 20;

// Records that are in memory because somebody asked for them, in bytes; and how many ready jobs are
// asked for ahead of their turn.
inline constexpr uint64_t kPoolBytesMax = uint64_t{32} << 20;
inline constexpr size_t kAheadMax = 2'048;

// Backoff lists.
inline constexpr size_t kBackoffListMax = 64;
inline constexpr uint32_t kBackoffFactorMilliMax = 1'000'000;  // A factor of 1,000.

// Keys. All are in memory: what each costs there beside its bytes is counted with them.
inline constexpr size_t kKeyNameBytesMax = 512;
inline constexpr size_t kKeyValueBytesMax = size_t{1} << 20;
inline constexpr size_t kKeyOverheadBytes = 192;
inline constexpr uint64_t kKeysBytesMax = uint64_t{64} << 20;
inline constexpr int64_t kKeyWallMsMax = 253'402'300'799'999;  // The end of the year 9999.
// One page of SCAN: keys looked at, and steps of matching them, so that it takes no long turn.
inline constexpr int64_t kScanCountDefault = 10;
inline constexpr int64_t kScanCountMax = 1'000;
inline constexpr size_t kScanStepsMax = 1'000'000;

// Hashes: fields are short like names; what each costs beside its bytes is counted with the keys. A
// hash is removed, or answered whole, in one turn, so its fields are bounded.
inline constexpr size_t kHashFieldBytesMax = 512;
inline constexpr size_t kHashFieldOverheadBytes = 128;
inline constexpr size_t kHashFieldsMax = 100'000;

// Workers that are listed: those heard of last, for as long as somebody may look for one that is
// gone. What a worker tells of itself is as long as a few names and numbers.
inline constexpr size_t kWorkersMax = 10'000;
inline constexpr size_t kWorkerInfoBytesMax = size_t{2} << 10;
inline constexpr int64_t kWorkerIdleMs = 5 * kMinuteMs;

// Jobs that a queue may be set to hold at most.
inline constexpr int64_t kQueueLengthMax = 1'000'000'000'000;
// Types that are paused, in one queue or everywhere: each is looked at by dispatch.
inline constexpr size_t kTypePausesMax = 1'000;

// Distinct names: what a client can make the server remember for good.
inline constexpr size_t kQueuesMax = 100'000;
inline constexpr size_t kTypesMax = 100'000;
// Whose numbers one look at all queues tells: more would hold the engine for long.
inline constexpr size_t kQueueStatsMax = 1'000;

// Lists, counts and operations go over jobs in steps. Ids that all of them together look at in one
// turn: a fraction of a millisecond.
inline constexpr size_t kWalkIdsPerTurn = 16'384;
// One page of a list: jobs in it, and ids that it may look at before it ends short of them.
inline constexpr int64_t kListCountDefault = 50;
inline constexpr int64_t kListCountMax = 1'000;
inline constexpr uint64_t kListIdsMax = 1'000'000;
// What a list shows of args and of messages; JOB.GET has the rest.
inline constexpr size_t kListArgsBytes = 1'024;
// Records that a count may look at, and so the first step of an operation.
inline constexpr uint64_t kCountRecordsMax = 1'000'000;
inline constexpr size_t kQueryBytesMax = size_t{4} << 10;
inline constexpr size_t kQueryTermsMax = 32;
inline constexpr size_t kQueryValuesMax = 64;  // Of one term.
inline constexpr size_t kQueryPathBytesMax = 128;
inline constexpr size_t kQueryPathPartsMax = 8;  // Each dot may also be part of a key.

// Operations: jobs that one changes in one turn, and bytes of args that it gives them, so that no
// turn takes long; those that run at the same time, and those that are remembered when they are
// over. Args are stored with each slice anew.
inline constexpr size_t kOperationSliceJobs = 1'000;
inline constexpr size_t kOperationSliceBytes = size_t{1} << 20;
inline constexpr size_t kOperationArgsBytesMax = size_t{64} << 10;
inline constexpr size_t kOperationsRunningMax = 100;
inline constexpr size_t kOperationsKeptMax = 1'000;
inline constexpr int64_t kOperationRateMax = 1'000'000;

// Events that are kept for readers, in bytes; for how long without one; of one page.
inline constexpr uint64_t kEventBytesMax = uint64_t{64} << 20;
inline constexpr int64_t kEventIdleMs = 2 * kMinuteMs;
inline constexpr int64_t kEventCountDefault = 100;
inline constexpr int64_t kEventCountMax = 10'000;

// Due jobs handled in one turn of the loop, so that no turn takes long.
inline constexpr size_t kDuePerTurn = 2'000;

static_assert(kArgsBytesMax <= kArgsBytesCap);
static_assert(kArgsBytesCap <= kBatchBytesMax);
static_assert(kOperationArgsBytesMax <= kArgsBytesMax);
static_assert(kOperationArgsBytesMax <= kOperationSliceBytes);
static_assert(kLeaseMsDefault <= kLeaseMsMax);
static_assert(kHistoryMax * kLogBytesMax < kReplyBytesMax, "all logs of a job are one answer");
static_assert(kHashFieldBytesMax + kHashFieldOverheadBytes < kKeysBytesMax);
static_assert(kFetchBlockMsCap < kWorkerIdleMs, "who waits for a job is still known");
static_assert(kRequestMsDefault <= kRequestMsMax);
static_assert(kKeyValueBytesMax + kKeyNameBytesMax + kKeyOverheadBytes <= kKeysBytesMax);
static_assert(kKeyValueBytesMax <= kReplyBytesMax);
// A record is its args, its result, its progress and meta, and a history of errors and logs.
static_assert(kReadTogetherJobsFree *
                  (kArgsBytesMax + kResultBytesMax + kProgressBytesMax + kMetaBytesMax +
                   kHistoryMax *
                       (kErrorClassBytesMax + kErrorMessageBytesMax + kErrorTraceBytesMax) +
                   (kHistoryMax + 1) * kLogBytesMax) <=
              kReadTogetherBytesMax);
static_assert(kQueueStatsMax <= kQueuesMax);
static_assert(kKeyNameBytesMax * kKeyNameBytesMax <= kScanStepsMax, "one name is always looked at");
static_assert(kEventIdleMs > kWaitBlockMsCap, "who waits for events still reads them");
static_assert(kCrashesDefault > kSuspectCrashes, "the last crash must have been alone");

}  // namespace core::limits
