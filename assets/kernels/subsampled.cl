// Photographs that have brightness for every pixel, and colour for every square of two
// by two: what core::subsampled does. In one buffer lies Y, two rows of two columns for
// each square, and then Cb and Cr.

// What a plane of bytes shows where a pixel goes; see WARP.
float sampled(__global const uchar *plane, int pitch, int width, int height,
              __global const float *curves, int moves,
              float4 across, float4 down, float4 shear, int px, int py)
{
    if (!moves) {
        return plane[py * pitch + px];
    }
    float2 shift = moved(across, down, shear, px, py);
    float2 steps = floor(shift);
    int u = px + (int)steps.x, v = py + (int)steps.y;
    float at = px + shift.x, below = py + shift.y;
    float slope = moves == 1 ? 0.0f
        : (down.x - below * shear.x) / (across.x + shear.z - at * shear.x);
    float2 part = shift - steps;
    float weights_across[TAPS], weights_down[TAPS];
    taps_of(curves, part.x, weights_across);
    float sum = 0.0f;
    for (int i = 0; i < TAPS; i++) {
        int beside = i - TAPS / 2 + 1;
        float off = part.y + slope * (beside - part.x);
        int more = (int)floor(off);
        taps_of(curves, off - more, weights_down);
        int column = clamp(u + beside, 0, width - 1);
        float down_column = 0.0f;
        for (int j = 0; j < TAPS; j++) {
            int row = clamp(v + more + j - TAPS / 2 + 1, 0, height - 1);
            down_column += weights_down[j] * plane[row * pitch + column];
        }
        sum += weights_across[i] * down_column;
    }
    return sum;
}

// Grey, three times, in the geometry of the result, and the mask; `tone` is a factor
// and what is added.
__kernel void warp_grey(__global const uchar *planes, int photo_width, int photo_height,
                        int pitch, __global const float *curves, int moves, int whole,
                        float4 across, float4 down, float4 shear, float4 tone,
                        int left, int top, __global float4 *frame, int width, int height)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int px = left + x, py = top + y;
    float value = sampled(planes, pitch, photo_width, photo_height, curves, moves,
                          across, down, shear, px, py);
    float mask = 1.0f;
    if (!whole) {
        float2 shift = moves ? moved(across, down, shear, px, py) : (float2)(0);
        int shown = shift.x >= -0.5f - px && shift.x <= photo_width - 0.5f - px
            && shift.y >= -0.5f - py && shift.y <= photo_height - 0.5f - py;
        mask = shown ? 1.0f : 0.0f;
    }
    frame[y * width + x] = (float4)((float3)(value * tone.x + tone.y), mask);
}

// Cb and Cr, which begin after `start` bytes, in the geometry of the result's half size.
__kernel void warp_colour(__global const uchar *planes, int start, int columns, int rows,
                          __global const float *curves, int moves,
                          float4 across, float4 down, float4 shear,
                          __global float *colours, int width, int height)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    __global const uchar *blue = planes + start, *red = blue + columns * rows;
    int at = 2 * (y * width + x);
    colours[at] = sampled(blue, columns, columns, rows, curves, moves, across, down, shear, x, y);
    colours[at + 1] = sampled(red, columns, columns, rows, curves, moves, across, down, shear, x, y);
}

// Red, green and blue at half the size, of grey and of Cb and Cr; for each its factors
// of these and what is added.
__kernel void colour(__global const float4 *grey, __global const float *colours,
                     float4 to_red, float4 to_green, float4 to_blue,
                     __global float4 *half_size, int width, int height)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    float value = grey[at].x, blue = colours[2 * at], red = colours[2 * at + 1];
    half_size[at] = (float4)(
        to_red.x * value + to_red.y * blue + to_red.z * red + to_red.w,
        to_green.x * value + to_green.y * blue + to_green.z * red + to_green.w,
        to_blue.x * value + to_blue.y * blue + to_blue.z * red + to_blue.w, grey[at].w);
}

// Gives a frame of grey the colours of its half size: red, green and blue have the
// same detail beyond it.
__kernel void tint(__global float4 *frame, int width, int height,
                   __global const float4 *grey, __global const float4 *half_size,
                   int columns, int rows)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    float detail = frame[at].x - expanded_float4(grey, columns, rows, width, x, y).x;
    float4 below = expanded_float4(half_size, columns, rows, width, x, y);
    frame[at] = (float4)(below.xyz + detail, frame[at].w);
}

// Holds the grey of a picture within the range of each pixel's block and those around
// it.
__kernel void hold_grey(__global float4 *picture, int width, int height,
                        __global const float4 *low, __global const float4 *high,
                        int columns, int rows)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int column = x / BLOCK, row = y / BLOCK;
    float least = FLT_MAX, most = -FLT_MAX;
    for (int r = max(row - 1, 0); r < min(row + 2, rows); r++) {
        for (int c = max(column - 1, 0); c < min(column + 2, columns); c++) {
            least = fmin(least, low[r * columns + c].x);
            most = fmax(most, high[r * columns + c].x);
        }
    }
    if (least <= most) {
        int at = y * width + x;
        float4 value = picture[at];
        float grey = GREY_RED * value.x + GREY_GREEN * value.y + GREY_BLUE * value.z;
        picture[at] = (float4)(value.xyz + (fmin(fmax(grey, least), most) - grey), value.w);
    }
}

// Cb or Cr of a pixel, a mean in which near samples count three times, as libjpeg
// makes it.
int upsampled(__global const uchar *plane, int columns, int rows, int x, int y)
{
    int column = x / 2, row = y / 2;
    if (columns <= 2) {
        return plane[row * columns + column];
    }
    int beside = clamp(column + 2 * (x % 2) - 1, 0, columns - 1);
    int other = clamp(row + 2 * (y % 2) - 1, 0, rows - 1);
    int near = 3 * plane[row * columns + column] + plane[other * columns + column];
    int far = 3 * plane[row * columns + beside] + plane[other * columns + beside];
    return (3 * near + far + 8 - x % 2) >> 4;
}

// All pixels in red, green and blue, as libjpeg makes them.
__kernel void spread_planes(__global const uchar *planes, int columns, int rows,
                            __global uchar *photo, int width, int height)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    __global const uchar *colours = planes + 4 * columns * rows;
    int grey = planes[2 * columns * y + x];
    int blue = upsampled(colours, columns, rows, x, y) - 128;
    int red = upsampled(colours + columns * rows, columns, rows, x, y) - 128;
    int3 pixel = (int3)(grey + ((91881 * red + 32768) >> 16),
                        grey + ((-22554 * blue - 46802 * red + 32768) >> 16),
                        grey + ((116130 * blue + 32768) >> 16));
    vstore3(convert_uchar3_sat(pixel), y * width + x, photo);
}
