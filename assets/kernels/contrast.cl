// Where a frame has contrast, and which frame has most: what
// core::fuse::contrast and core::fuse::work do.

// The energy of detail: the square of its grey, and a share of those of its
// channels.
float energy_of(float3 detail)
{
    float red = detail.x, green = detail.y, blue = detail.z;
    float grey = SHARE_RED * red + SHARE_GREEN * green + SHARE_BLUE * blue;
    float each = SHARE_RED * red * red + SHARE_GREEN * green * green + SHARE_BLUE * blue * blue;
    return CHROMA * each + (1.0f - CHROMA) * grey * grey;
}

// The energy of a level of detail: of `fine` beyond the next level.
__kernel void energy(__global const float4 *fine, int width, int height,
                     __global const float4 *coarse, int columns, int rows,
                     __global float *squared)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        float4 below = expanded_float4(coarse, columns, rows, width, x, y);
        squared[at] = energy_of(fine[at].xyz - below.xyz);
    }
}

// The same for the finest level, alone and with that of the next, which is given
// in a soft window; the root of both where `is_root` says so.
__kernel void finest(__global const float4 *fine, int width, int height,
                     __global const float4 *coarse, int columns, int rows,
                     __global const float *next,
                     __global float *squared, __global float *both, int is_root)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        float4 below = expanded_float4(coarse, columns, rows, width, x, y);
        float own = energy_of(fine[at].xyz - below.xyz);
        squared[at] = own;
        float sum = own + COARSER * expanded_float(next, columns, rows, width, x, y);
        both[at] = is_root ? sqrt(sum) : sum;
    }
}

// Expands the contrast in the largest window, adds it up with that in the `wide`
// one, and tells how far it is beyond noise; `noise` is the least there is, and
// what half settles a place. Of roots it is the squares.
__kernel void settle(__global const float *small, int columns, int rows,
                     __global const float *wide,
                     __global float *rest, __global float *settled,
                     int width, int height, float4 noise, int is_root)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        float2 both = (float2)(wide[at], expanded_float(small, columns, rows, width, x, y));
        both *= is_root ? both : (float2)(1.0f);
        float beyond = fmax(both.y, noise.x);
        float share = beyond / (beyond + noise.y);
        rest[at] = WINDOW_WIDE * both.x + WINDOW_FAR * both.y;
        settled[at] = share * share;
    }
}

// The contrast in all windows together: in the smallest, or its root, and in the
// `rest`, at half the size.
float joined(float near, __global const float *rest, int columns, int rows,
             int width, int x, int y, int is_root)
{
    near *= is_root ? near : 1.0f;
    return WINDOW_NEAR * near + expanded_float(rest, columns, rows, width, x, y);
}

// `value` to a power: fast for the one that is usual.
float raised(float value, float power, int usual)
{
    if (power != usual) {
        return pow(value, power);
    }
    float product = 1.0f;
    for (int i = 0; i < usual; i++) {
        product *= value;
    }
    return product;
}

// Lets the frame `number` win a pixel where its rank is the best. A tie goes to
// the earlier frame.
void rise(float rank, int number, __global float *best, __global ushort *winner)
{
    float most = *best;
    if (rank > most || (rank == most && number < *winner)) {
        *best = rank;
        *winner = number;
    }
}

// The mask of a frame at a pixel. The next level's, `coarse`, is whole where all
// about it is: then there is nothing to look up.
float mask_at(__global const float4 *frame, int width,
              __global const float4 *coarse, int columns, int x, int y)
{
    float about = coarse[(y / 2) * columns + x / 2].w;
    return about == 1.0f ? 1.0f : frame[y * width + x].w;
}

// Joins the contrast in all windows, in `near`, and lets the frame win where it
// has most.
__kernel void rank(__global float *near, int width, int height,
                   __global const float *rest,
                   __global const float4 *frame, __global const float4 *coarse,
                   int columns, int rows, int masked, int number, float4 factor,
                   __global float *best, __global ushort *winner)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    float all = factor.x * joined(near[at], rest, columns, rows, width, x, y, 0);
    near[at] = all;
    float mask = masked ? mask_at(frame, width, coarse, columns, x, y) : 1.0f;
    rise(all * mask, number, best + at, winner + at);
}

// How sure a winner is, where contrast of `none` counts as none.
__kernel void certainty(__global const float *best, __global uchar *confidence,
                        int width, int height, float4 none)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        float ratio = sqrt(fmax(best[at], 0.0f) / none.x);
        confidence[at] = (int)(255.0f * ratio / (1.0f + ratio));
    }
}
