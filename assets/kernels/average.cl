// Fusion by weighted average: what core::fuse::average does. What is summed up
// is one float4 per pixel: red, green and blue by weight, and the weight.

__kernel void luma(__global const float4 *frame, __global float *plane,
                   int width, int height)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        float4 value = frame[at];
        plane[at] = LUMA_RED * value.x + LUMA_GREEN * value.y + LUMA_BLUE * value.z;
    }
}

// The square of what a plane has beyond its coarser level.
__kernel void contrast(__global float *plane, int width, int height,
                       __global const float *coarse, int columns, int rows)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        float detail = plane[at] - expanded_float(coarse, columns, rows, width, x, y);
        plane[at] = detail * detail;
    }
}

// Adds a coarser level, expanded, by `factor`; what was there counts by `own`.
__kernel void spread(__global float *plane, int width, int height,
                     __global const float *coarse, int columns, int rows, float4 factors)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        float more = expanded_float(coarse, columns, rows, width, x, y);
        plane[at] = factors.x * plane[at] + factors.y * more;
    }
}

// The contrast of the two smaller windows together.
__kernel void mix_windows(__global float *near, __global const float *wide,
                          int width, int height, float4 factors)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        near[at] = factors.x * near[at] + factors.y * wide[at];
    }
}

__kernel void weigh(__global const float4 *frame, __global const float *contrast,
                    int width, int height, int number,
                    __global float4 *sum, __global float *best, __global ushort *winner)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    float4 value = frame[at];
    float strong = contrast[at] / FLOOR + 1.0f;
    // What the frame does not show counts only where no frame shows anything.
    float weight = value.w > 0.0f ? (strong * strong) * (strong * strong) : HIDDEN;
    sum[at] += (float4)(value.xyz * weight, weight);
    float rank = contrast[at] * value.w;
    float most = best[at];
    if (rank > most || (rank == most && number < winner[at])) {
        best[at] = rank;
        winner[at] = number;
    }
}

__kernel void certainty(__global const float *best, __global uchar *confidence,
                        int width, int height)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        float ratio = sqrt(fmax(best[at], 0.0f) / FLOOR);
        confidence[at] = (int)(255.0f * ratio / (1.0f + ratio));
    }
}
