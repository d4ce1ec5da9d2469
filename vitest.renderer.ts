// xterm's grapheme add-on reads its table from the start of the memory that its Buffer lies in. In a page there is no Buffer; under
// Node that is the pool which all small Buffers share, and depending on what lies there it loops for ever.
Buffer.poolSize = 0;
