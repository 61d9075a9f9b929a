"""How much work a frame is: ours beside others', in one run on one machine."""
