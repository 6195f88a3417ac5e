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

// Adds the energy of the next level, expanded.
__kernel void spread(__global float *plane, int width, int height,
                     __global const float *coarse, int columns, int rows)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        plane[at] += COARSER * expanded_float(coarse, columns, rows, width, x, y);
    }
}

// Joins the contrast in all windows, in `near`, and adds the frame by a power of
// it. `factors`: of the contrast, and the power.
__kernel void weigh(__global const float4 *frame, __global float *near,
                    int width, int height,
                    __global const float *rest, int columns, int rows,
                    int number, float4 factors,
                    __global float4 *sum, __global float *best, __global ushort *winner)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    float4 value = frame[at];
    float all = factors.x * joined(near[at], rest, columns, rows, width, x, y, 0);
    // What the frame does not show counts only where no frame shows anything.
    float weight = value.w > 0.0f
        ? raised(all / FLOOR + 1.0f, factors.y, AVERAGE_POWER)
        : HIDDEN;
    near[at] = all;
    sum[at] += (float4)(value.xyz * weight, weight);
    rise(all * value.w, number, best + at, winner + at);
}
