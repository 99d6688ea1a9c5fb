#include "server/serve.h"
#include "store/system_calls.h"

// Read by jemalloc: a thread of its own gives unused pages back to the kernel. Without it a server
// that has just flushed a backlog and then rests keeps the pages, for the allocator only looks at
// them when somebody allocates.
extern "C" const char* malloc_conf;
const char* malloc_conf = "background_thread:true";

int main(int argc, char** argv) {
  return server::run_command_line(argc, argv, store::kernel_calls());
}
