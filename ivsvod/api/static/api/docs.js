// Swagger UI with the OpenAPI document of this service; no request goes to another host.

// The lock of an operation: closed with the scope that a token needs, open if a token is optional, none without tokens.
// The stock one shows whether the reader has entered a token, and counts operations without one as such.
const locks = new Map();
const lockFor = (security, { React, getComponent }) => {
  const isOptional = security.some((each) => Object.keys(each).length === 0);
  const scope = security.flatMap((each) => Object.values(each).flat())[0] ?? "";
  const key = `${isOptional} ${scope}`;
  if (!locks.has(key)) {
    const Icon = getComponent(isOptional ? "UnlockAuthIcon" : "LockAuthIcon", true);
    const text = isOptional ? "Token optional" : `Token with the scope ${scope} needed`;
    locks.set(key, ({ onClick }) => React.createElement(
      "button",
      { className: `operation-lock ${isOptional ? "optional" : "needed"}`, title: text, "aria-label": text, onClick },
      isOptional ? null : React.createElement("span", null, scope),
      React.createElement(Icon),
    ));
  }
  return locks.get(key);
};
const Locks = (system) => ({
  wrapComponents: {
    OperationSummary: (Original) => (props) => {
      const security = props.operationProps.get("security")?.toJS() ?? [];
      const getComponent = (name, ...rest) =>
        name === "authorizeOperationBtn" ? lockFor(security, system) : props.getComponent(name, ...rest);
      return system.React.createElement(Original, { ...props, getComponent });
    },
  },
});

SwaggerUIBundle({
  domNode: document.getElementById("api"),
  url: document.getElementById("api").dataset.schema,
  deepLinking: true,
  displayOperationId: true,
  plugins: [Locks],
  // The stock validator is an external service.
  validatorUrl: null,
  requestInterceptor: (request) => {
    // Requests with a session of the admin need its CSRF token for writes.
    const token = document.cookie.match(/(?:^|; )csrftoken=([^;]*)/);
    if (token && !request.headers.Authorization) {
      request.headers["X-CSRFToken"] = decodeURIComponent(token[1]);
    }
    return request;
  },
});
