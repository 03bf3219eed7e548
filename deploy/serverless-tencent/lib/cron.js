'use strict';

// The fields of a timer's expression (583/9708), as in pkg/scf/cron.go.
const units = [
  ['second', 0, 59, []],
  ['minute', 0, 59, []],
  ['hour', 0, 23, []],
  ['day', 1, 31, []],
  ['month', 1, 12, ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']],
  ['weekday', 0, 6, ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']],
  ['year', 1970, 2099, []],
];

// Of a form that only the platform may know; it is passed on.
const foreign = (unit, text) => (unit === 'day' || unit === 'weekday') && /^[0-9?LW#]+$/.test(text) && /\D/.test(text);

const number = (text) => (/^\d{1,4}$/.test(text) ? Number(text) : -1);

/**
 * Says what is wrong with the expression of a timer: seven fields, or five, which stand for second 0 and any year.
 *
 * @param {string} text
 * @returns {string} empty where the platform can take it
 */
function parse(text) {
  let words = text.trim().split(/\s+/).filter(Boolean);
  if (words.length === 5) words = ['0', ...words, '*'];
  if (words.length !== 7) {
    return `'${text}' has ${words.length} fields; want second minute hour day month weekday year, or five without second and year`;
  }
  const fields = [];
  for (const [i, word] of words.entries()) {
    const [name, least, most, names] = units[i];
    const values = new Set();
    for (const part of word.split(',')) {
      const range = readPart(part, { name, least, most, names });
      if (range === null) return ''; // a foreign form: nothing more can be said
      if (typeof range === 'string') return `the ${name} '${word}' ${range}; ${least} to ${most}, with commas, ranges like 1-5, steps like */2`;
      for (let v = range.first; v <= range.last; v += range.step) values.add(v);
    }
    fields.push({ values, any: word.split(',').includes('*') });
  }
  return fires(fields) ? '' : `'${text}' never fires: no month of its years has such a day`;
}

function readPart(text, unit) {
  const [values, ...rest] = text.split('/');
  const every = rest.join('/');
  const stepped = rest.length > 0;
  const dash = values.indexOf('-');
  let [first, last] = [unit.least, unit.most];
  if (values !== '*') {
    first = readValue(dash < 0 ? values : values.slice(0, dash), unit);
    if (typeof first !== 'number') return first;
    last = dash < 0 ? (stepped ? unit.most : first) : readValue(values.slice(dash + 1), unit);
    if (typeof last !== 'number') return last;
    if (first > last) return 'has a range that ends before it begins';
  }
  const step = stepped ? number(every) : 1;
  if (step < 1 || step > Math.max(unit.most, 1)) return `has a step that is not 1 to ${unit.most}`;
  return { first, last, step };
}

function readValue(text, unit) {
  const named = unit.names.indexOf(text.toUpperCase());
  if (named >= 0) return unit.least + named;
  const value = number(text);
  if (value >= unit.least && value <= unit.most) return value;
  if (value >= 0) return 'is out of range';
  return foreign(unit.name, text) ? null : 'cannot be read';
}

function fires(fields) {
  const [, , , day, month, weekday, year] = fields;
  if (day.any || !weekday.any) return true;
  for (const y of year.values) {
    for (const m of month.values) {
      const days = new Date(Date.UTC(y, m, 0)).getUTCDate();
      if ([...day.values].some((d) => d <= days)) return true;
    }
  }
  return false;
}

module.exports = { parse };
