// Which threads of the server's process signals come to.
#pragma once

namespace server {

// From now on none of those that the server hears comes to the calling thread. A process none of
// whose threads takes a signal is not ended by it.
void block_signals();

}  // namespace server
