'use strict';

/**
 * Calls act for each value, at most limit at once. After the first failure nothing more is begun; what is under way is
 * waited for.
 *
 * @template T, R
 * @param {T[]} values
 * @param {number} limit
 * @param {(value: T) => Promise<R>} act
 * @returns {Promise<R[]>} in the order of values
 * @throws the first failure
 */
async function each(values, limit, act) {
  const results = new Array(values.length);
  const failures = [];
  let next = 0;
  const worker = async () => {
    while (next < values.length && failures.length === 0) {
      const i = next++;
      try {
        results[i] = await act(values[i]);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, values.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}

module.exports = { each };
