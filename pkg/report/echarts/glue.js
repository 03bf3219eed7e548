// What the charts need of a browser, and one function: options as JSON in, an SVG as text out.
var self = globalThis;
var console = { log: function () {}, warn: function () {}, error: function () {} };
function setTimeout() {}
function clearTimeout() {}

// A formatter cannot be written in JSON: one of the text "@value" is that of the chart, given a number.
function withFormatter(node, format) {
  if (node === null || typeof node !== 'object') {
    return;
  }
  if (node.formatter === '@value') {
    node.formatter = function (v) {
      return format(typeof v === 'object' ? v.value : v);
    };
  }
  for (var key in node) {
    if (key !== 'data') {
      withFormatter(node[key], format);
    }
  }
}

function draw(text, width, height, format) {
  var option = JSON.parse(text);
  withFormatter(option, format);
  var chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: width, height: height });
  try {
    chart.setOption(option);
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
