// The search of each place's depth, at half the size of the picture: what
// core::fuse::depth does.

// The most energy of the two finest levels of detail that any frame has; the
// finest is twice as wide and high.
__kernel void crisp(__global const float *finest, int width, int height,
                    __global const float *coarser, __global float *most,
                    int columns, int rows)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < columns && y < rows) {
        int at = y * columns + x;
        float own = soft_float(finest, width, height, 2 * x, 2 * y) + COARSER * coarser[at];
        most[at] = fmax(most[at], own);
    }
}

// Takes in the focus measure of the frame that came as number `own`: `soft` in
// one more window, and `coarse`, at half the size of that, in it. Where
// `has_clues` is 0 there are no `coarse` and `settled`; where `masked` is 0 no
// `mask`.
__kernel void keep(__global const float *soft, int width, int height,
                   __global const float *coarse, int columns, int rows,
                   __global const float *settled, int has_clues,
                   __global const float4 *mask, int masked, int own,
                   __global float *focus, __global const float *last,
                   __global const float *last_but_one,
                   __global float *best, __global ushort *winner, __global float *peak,
                   __global float *before, __global float *after)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    float value = soft_float(soft, width, height, x, y);
    if (has_clues) {
        value += COARSE * expanded_float(coarse, columns, rows, width, x, y);
    }
    if (masked) {
        value *= mask[at].w;
    }
    focus[at] = value;
    float rank = has_clues ? value * settled[at] : value;
    int so_far = winner[at];
    if (rank > best[at]) {
        best[at] = rank;
        winner[at] = own;
        peak[at] = value;
        before[at] = last[at];
        after[at] = last_but_one[at];
    } else if (own == so_far + 1) {
        after[at] = value;
    } else if (own == 2 && so_far == 0) {
        before[at] = value;
    }
}
