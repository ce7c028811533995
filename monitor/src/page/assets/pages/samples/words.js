// @ts-check
// What samples tell, in words.

/** @import { OutputQuality, SampleForecast } from "#types" */

import { bytes, change, duration } from "../../lib/format.js";

/**
 * `vmaf 95.41`, `ssim 0.9877`.
 * @param {OutputQuality | null | undefined} measured
 */
export const quality = (measured) => (measured ? `${measured.metric} ${score(measured)}` : "");

/** @param {OutputQuality} measured */
const score = ({ metric, score: value }) => value.toFixed(metric === "ssim" ? 4 : 2);

/**
 * `The whole: about 1.47 GB (1.3 GB to 1.73 GB), −61%, vmaf 95.30 (lowest 94.87), about 1 h 44 min of encoding`.
 * @param {SampleForecast} forecast
 */
export function whole({ input_size: before, size, least, most, seconds, mean, lowest }) {
  const range = least === most ? "" : ` (${bytes(least)} to ${bytes(most)})`;
  const measured = mean && lowest ? `${quality(mean)} (lowest ${score(lowest)})` : "";
  return [`The whole: about ${bytes(size)}${range}`, change(before, size), measured, `about ${duration(seconds)} of encoding`].filter(Boolean).join(", ");
}
