// The range of values that the frames show about each pixel: what
// core::fuse::range does.

// Takes a frame into the range of values of each block of BLOCK by BLOCK pixels; they
// may be `slack` from what they are.
__kernel void range(__global const float4 *frame, int width, int height, float4 slack,
                    __global float4 *low, __global float4 *high, int columns, int rows)
{
    int column = get_global_id(0), row = get_global_id(1);
    if (column >= columns || row >= rows) {
        return;
    }
    int block = row * columns + column;
    float4 least = low[block], most = high[block];
    for (int y = row * BLOCK; y < min((row + 1) * BLOCK, height); y++) {
        for (int x = column * BLOCK; x < min((column + 1) * BLOCK, width); x++) {
            float4 value = frame[y * width + x];
            if (value.w > 0.0f) {
                least = fmin(least, value - slack.x);
                most = fmax(most, value + slack.x);
            }
        }
    }
    low[block] = least;
    high[block] = most;
}

// Holds a picture within the range of each pixel's block and those around it.
__kernel void hold(__global float4 *picture, int width, int height,
                   __global const float4 *low, __global const float4 *high,
                   int columns, int rows)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int column = x / BLOCK, row = y / BLOCK;
    float4 least = (float4)(FLT_MAX), most = (float4)(-FLT_MAX);
    for (int r = max(row - 1, 0); r < min(row + 2, rows); r++) {
        for (int c = max(column - 1, 0); c < min(column + 2, columns); c++) {
            least = fmin(least, low[r * columns + c]);
            most = fmax(most, high[r * columns + c]);
        }
    }
    int at = y * width + x;
    float4 value = picture[at];
    if (least.x <= most.x) {
        picture[at] = (float4)(fmin(fmax(value.xyz, least.xyz), most.xyz), value.w);
    }
}
