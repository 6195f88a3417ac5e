// A picture rendered from its depth map: what core::fuse::render does.

// Adds the frame `number`, each pixel weighted by how near it is in depth.
__kernel void render(__global const float4 *frame, __global const float *depth,
                     int width, int height, int number, __global float4 *sum)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    float4 value = frame[at];
    float off = fabs(number - depth[at]);
    float near = fmax(1.0f - off / REACH, 0.0f) + FAR / (1.0f + off * off * off * off);
    float weight = value.w > 0.999f ? near : UNSEEN * near;
    sum[at] += (float4)(value.xyz * weight, weight);
}
