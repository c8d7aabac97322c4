const { imports } = require('./package.json');

// `#libs/...` leads Node to built files; the dependency rules look at the sources they are built from.
module.exports = {
  resolve: {
    alias: Object.fromEntries(
      Object.entries(imports).map(([name, built]) => [
        name.replace(/^([^*]+)$/, '$1$$'),
        `${__dirname}/${built.replace('./dist/', '').replace(/\.js$/, '.ts')}`,
      ]),
    ),
  },
};
