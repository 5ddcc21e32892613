"use strict";

// Swagger UI over the service's own description; no outside host is asked for anything.
(function () {
  SwaggerUIBundle({
    domNode: document.getElementById("api"),
    url: document.getElementById("api").dataset.schema,
    deepLinking: true,
    persistAuthorization: false,
    displayOperationId: true,
    // The stock validator is a service elsewhere.
    validatorUrl: null,
    requestInterceptor: function (request) {
      // Who is signed in to the admin may try writes too: the session asks for its CSRF token.
      const token = document.cookie.match(/(?:^|; )csrftoken=([^;]*)/);
      if (token && !request.headers.Authorization) {
        request.headers["X-CSRFToken"] = decodeURIComponent(token[1]);
      }
      return request;
    },
  });
})();
